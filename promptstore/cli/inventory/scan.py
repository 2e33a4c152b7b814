from __future__ import annotations

import re
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import Exit, usage
from promptstore.cli.management import management
from promptstore.cli.options import Json, TokenFile
from promptstore.cli.output import show
from promptstore.cli.version import version
from registry.inventory import CallSite, Gateways, Scan, scan_tree
from registry.inventory.governing import DEFAULT_HOSTS, DEFAULT_VARIABLES
from registry.inventory.sarif import as_sarif
from registry.scans import MAX_SITES, MAX_UNREAD

_GIT_TIMEOUT_S = 10
_LONGEST = {"path": 1_000, "api": 80, "snippet": 200}
_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^@/\s]+@)?([^/:\s]+)(?::\d+)?[:/]+(\S+?)(?:\.git)?/?\Z")


def scan(
    paths: tuple[Path, ...],
    /,
    *,
    gateway_host: Annotated[
        tuple[str, ...],
        Parameter(
            help="A host (or host:port) that is a Promptstore gateway, such as prompts.example.com; may be repeated."
        ),
    ] = (),
    gateway_env: Annotated[
        tuple[str, ...],
        Parameter(
            help="A variable or setting that holds a gateway's address, such as OPENAI_BASE_URL; may be repeated."
        ),
    ] = (),
    fail_on_ungoverned: Annotated[
        bool, Parameter(help="Exit with 1 if a call is not governed, or a file could not be read.")
    ] = False,
    sarif: Annotated[bool, Parameter(help="SARIF 2.1.0 on standard output instead of text.")] = False,
    upload: Annotated[
        bool, Parameter(help="Keep the result on the server, for its page of coverage.")
    ] = False,
    source: Annotated[
        str | None,
        Parameter(help="What the tree is called on the server; default: its repository or directory."),
    ] = None,
    project: Annotated[
        str | None,
        Parameter(
            env_var="PROMPTSTORE_PROJECT", help="With --upload: the project's short name, such as acme."
        ),
    ] = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Find the calls to models in source trees, and those that do not go through Promptstore yet.

    Reads Python by its syntax tree, JavaScript, TypeScript and others by patterns outside of comments and texts; nothing is run
    and nothing leaves this machine without `--upload`. In a repository Git's ignored files are left out. A call is governed when
    its address is a gateway: a known host, or a variable such as PROMPTSTORE_URL. A comment `promptstore: ignore[reason]` on the
    call or above it accepts it as it is.

    Example: `promptctl inventory scan . --gateway-host prompts.example.com --fail-on-ungoverned`, or short `promptctl scan .`

    Exit codes: 0 scanned · 1 with `--fail-on-ungoverned`: calls that are not governed, or files that could not be read ·
    2 a path is missing · 4 with `--upload`: the server is unreachable or refuses

    Parameters
    ----------
    paths
        Files and directories.
    """
    if not paths:
        raise usage("Name a file or a directory, such as `.`.", field="PATHS")
    if as_json and sarif:
        raise usage("Choose --json or --sarif.", field="--sarif")
    if upload and not project:
        raise usage("Name the project with --project or PROMPTSTORE_PROJECT.", field="--project")
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise usage(f"There is no {missing[0]}.", field="PATHS")
    gateways = Gateways(
        hosts=DEFAULT_HOSTS | {host.lower() for host in gateway_host},
        variables=DEFAULT_VARIABLES | set(gateway_env),
    )
    found = scan_tree(paths, gateways)
    if upload and project:
        server = management(project=project, token_file=token_file)
        server.post("scans/", _report(found, paths[0], source))
    if sarif:
        show(as_sarif(found, version=version()), (), as_json=True)
    else:
        show(_document(found), _lines(found), as_json=as_json)
    return Exit.FINDINGS if fail_on_ungoverned and (found.findings or found.unread) else Exit.FINE


def _document(found: Scan) -> dict[str, Any]:
    return {
        "files": found.files,
        "governed": found.governed,
        "ungoverned": len(found.findings),
        "ignored": found.ignored,
        "sites": [asdict(site) for site in found.sites],
        "unread": [asdict(file) for file in found.unread],
    }


def _lines(found: Scan) -> list[str]:
    lines = [f"{_where(site)}: {site.api} is not governed\n    {site.snippet}" for site in found.findings]
    lines += [
        f"{_where(site)}: {site.api}, ignored: {site.ignored}"
        for site in found.sites
        if site.ignored and not site.governed
    ]
    lines += [f"{file.path}: could not be read ({file.reason})" for file in found.unread]
    total = found.governed + len(found.findings)
    share = f", {found.governed / total:.0%} governed" if total else ""
    lines.append(
        f"{found.files} files: {found.governed} calls governed, {len(found.findings)} not, {found.ignored} ignored{share}"
        + (f"; {len(found.unread)} files could not be read" if found.unread else "")
    )
    if found.findings:
        lines.append(
            "Set each client's base URL to the gateway, or accept a call with a comment: promptstore: ignore[reason]"
        )
    return lines


def _where(site: CallSite) -> str:
    return f"{site.path}:{site.line}:{site.column}"


def _report(found: Scan, root: Path, source: str | None) -> dict[str, Any]:
    if len(found.sites) > MAX_SITES:
        raise usage(
            f"{len(found.sites):,} call sites; a server keeps at most {MAX_SITES:,} of one scan. Upload parts of the tree, each "
            "with its own --source.",
            field="--upload",
        )
    kept = ("fingerprint", "path", "line", "api", "governed", "symbol", "snippet", "why", "ignored")
    return {
        "source": (
            source
            or repository_name(_git(root, "config", "--get", "remote.origin.url"))
            or root.resolve().name
        )[:200],
        "revision": _git(root, "rev-parse", "HEAD")[:80],
        "files": found.files,
        "sites": [{name: _kept(site, name) for name in kept} for site in found.sites],
        "unread": [f"{file.path}: {file.reason}"[:1_200] for file in found.unread[:MAX_UNREAD]],
    }


def _kept(site: CallSite, name: str) -> Any:
    """A field of a site as the server takes it: names in a hostile tree may have any length."""
    value = getattr(site, name)
    return value[: _LONGEST.get(name, 300)] if isinstance(value, str) else value


def repository_name(url: str) -> str:
    """`github.com/acme/shop` for any of Git's ways to write that address, without user names and passwords."""
    match = _REMOTE.match(url.strip())
    return f"{match[1]}/{match[2]}" if match else ""


def _git(root: Path, *arguments: str) -> str:
    """What Git says about the tree, or an empty text."""
    folder = root if root.is_dir() else root.parent
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
