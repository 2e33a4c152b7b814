from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.bundles.findings import Finding, Result
from promptstore.cli.bundles.reading import MAX_BYTES, read_members
from promptstore.cli.bundles.verifying import Verification, verify
from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.management import management, segment
from promptstore.cli.options import Json, Project, TokenFile
from promptstore.cli.output import show, table

_KEY_BYTES = 32


def bundle(
    release: str,
    /,
    *,
    output: Annotated[Path, Parameter(help="The file to write; an existing one is never replaced.")],
    feature: Annotated[str, Parameter(help="Needed where the release is named by its version.")] = "",
    key_output: Annotated[
        Path | None,
        Parameter(
            help="Save the public key that signed it here, for whoever checks it later; keep the two apart."
        ),
    ] = None,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Save the audit bundle of a release: one signed file with everything that decided about it. It is verified at once.

    Example: `promptctl releases bundle 1.1.0 --feature config-assistant --output config-assistant-1.1.0.bundle`

    Exit codes: 0 saved, and everything in it holds · 1 saved, and something in it does not hold · 2 the file exists · 4 not
    allowed

    Parameters
    ----------
    release
        A version together with `--feature`, or a digest.
    """
    for file, field in ((output, "--output"), (key_output, "--key-output")):
        if file is not None and file.exists():
            raise usage(f"{file} exists; choose another name.", field=field)
    server = management(project=project, token_file=token_file)
    data = server.download(f"releases/{segment(release)}/bundle/", max_bytes=MAX_BYTES, feature=feature)
    found = verify(data)
    _write(output, data, field="--output")
    if key_output is not None:
        _write(key_output, _signing_key(data, found), field="--key-output")
    value = {"file": str(output), "bytes": len(data), **found.to_dict()}
    failed = [one for one in found.findings if one.result is Result.FAILS]
    lines = [
        f"Saved {output}, {len(data):,} bytes, signed by {found.key_id}",
        *map(_plain, _fault_lines(failed)),
        f"Check it anywhere: promptctl releases verify-bundle {output}",
    ]
    show(value, lines, as_json=as_json)
    return Exit.FINE if found.ok else Exit.FINDINGS


def verify_bundle(
    file: Path,
    /,
    *,
    public_key: Annotated[
        Path | None,
        Parameter(help="The public key that should have signed it, from another source than the bundle."),
    ] = None,
    as_json: Json = False,
) -> Exit:
    """Check a release's audit bundle. Needs no server, no database and no configuration.

    One line for each claim: whether it holds, and where it stands. `open` is what the file alone cannot prove, such as who signed
    it when no key is named.

    Example: `promptctl releases verify-bundle config-assistant-1.1.0.bundle --public-key our-bundle-key.json`

    Exit codes: 0 nothing is wrong · 1 something does not hold · 2 the file or the key cannot be read

    Parameters
    ----------
    file
        The bundle.
    """
    found = verify(_read(file, field="FILE"), public_key=_key(public_key) if public_key else None)
    show({"file": str(file), **found.to_dict()}, _lines(file, found), as_json=as_json)
    return Exit.FINE if found.ok else Exit.FINDINGS


def _lines(file: Path, found: Verification) -> list[str]:
    about = found.about
    heading = f"{file} is no bundle that can be read."
    if about:
        heading = "{feature} {version}, project {project}, made {made_at} by {made_by}".format(**about)
    rows = [
        (one.result.value, one.says + ("" if one.looked_at else " (there is none)"), one.where)
        for one in found.findings
    ]
    left_out = [f"left out: {text}" for text in about.get("left_out", ())]
    lines = [heading, *table(rows), *_fault_lines(found.findings), *left_out, _verdict(found)]
    return [_plain(line) for line in lines]


def _plain(line: str) -> str:
    """What a terminal would obey instead of show is replaced: a bundle comes from anywhere."""
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def _fault_lines(findings: list[Finding]) -> list[str]:
    return [
        f"{word}: {text}"
        for one in findings
        for word, texts in (("fault", one.faults), ("open", one.doubts))
        for text in texts
    ]


def _verdict(found: Verification) -> str:
    failed = sum(one.result is Result.FAILS for one in found.findings)
    if failed:
        return f"{failed} of {len(found.findings)} claims do not hold."
    left = sum(one.result is Result.OPEN for one in found.findings)
    return f"Nothing is wrong; {left} claims stay open." if left else "Everything holds."


def _write(file: Path, data: bytes, *, field: str) -> None:
    try:
        with file.open("xb") as target:
            target.write(data)
    except OSError as error:
        raise usage(f"{file} cannot be written: {error.strerror}.", field=field) from error


def _signing_key(data: bytes, found: Verification) -> bytes:
    """The public key as the server just sent it; over TLS, that is as good as the server's name."""
    if not found.ok:
        problem = {"code": "bundle_refused", "detail": "The bundle does not hold, so its key was not saved."}
        raise CommandError(Exit.FINDINGS, problem)
    return read_members(data)[f"keys/{found.key_id}.json"]


def _read(file: Path, *, field: str) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except OSError as error:
        raise usage(f"{file} cannot be read: {error.strerror}.", field=field) from error


def _key(file: Path) -> bytes:
    """A public key as a bundle holds it (`keys/bundle-….json`), or its 32 bytes in base64."""
    text = _read(file, field="--public-key")[: 64 * 1024]
    try:
        value: Any = json.loads(text) if text.lstrip().startswith(b"{") else {"public_key": text.decode()}
        key = base64.b64decode(str(value["public_key"]).strip(), validate=True)
    except (ValueError, LookupError, TypeError) as error:
        raise _no_key(file) from error
    if len(key) != _KEY_BYTES:
        raise _no_key(file)
    return key


def _no_key(file: Path) -> CommandError:
    return usage(
        f"{file} holds no Ed25519 public key: neither {_KEY_BYTES} bytes in base64 nor JSON with `public_key`.",
        field="--public-key",
    )
