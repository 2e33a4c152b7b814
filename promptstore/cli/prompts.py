"""`promptctl prompts`: check a prompt file here; show and publish prompts on a server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.files import read_json, read_object
from promptstore.cli.management import Management, management, segment
from promptstore.cli.options import Json, JsonFile, Project, TokenFile
from promptstore.cli.output import show
from registry.rendering import Finding, LintConfig, PromptSpec, SpecError, publish_blockers
from registry.rendering.lint import lint as check_prompt

app = App(name="prompts", help="Check, show and publish prompts.", help_format="markdown")


@app.command
def lint(
    file: JsonFile,
    /,
    *,
    token_budget: Annotated[int | None, Parameter(help="Most tokens that the fixed text may have.")] = None,
    banned_topic: Annotated[
        tuple[str, ...], Parameter(help="A word or phrase that must not occur; may be repeated.")
    ] = (),
    strict: Annotated[bool, Parameter(help="Warnings fail too.")] = False,
    as_json: Json = False,
) -> Exit:
    """Check a prompt file on this machine, without a server.

    The file is a prompt as JSON: `messages`, `input_schema`, `output_schema`, `tools`, `params`. Findings name message, line
    and column. `-` reads standard input.

    Example: `promptctl prompts lint prompt.json --token-budget 1200`

    Exit codes: 0 nothing that forbids publishing · 1 errors (with `--strict` also warnings) · 2 the file cannot be read

    Parameters
    ----------
    file
        The prompt as JSON.
    """
    findings = _findings(read_json(file), LintConfig(token_budget=token_budget, banned_topics=banned_topic))
    failing = [finding for finding in findings if finding.severity == "warning"] if strict else []
    failing += publish_blockers(findings)
    value = {
        "findings": [_as_dict(finding) for finding in findings],
        "publishable": not publish_blockers(findings),
    }
    show(
        value,
        [line for finding in findings for line in _lines(file, finding)] or ["No findings."],
        as_json=as_json,
    )
    return Exit.FINDINGS if failing else Exit.FINE


@app.command(name="show")
def show_prompt(
    name: str,
    /,
    *,
    version: Annotated[str | None, Parameter(help="Default: the highest published version.")] = None,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Print a published version of a prompt.

    Example: `promptctl prompts show config-assistant --version 1.2.0 --project acme`

    Parameters
    ----------
    name
        The prompt's name.
    """
    server = management(project=project, token_file=token_file)
    where = f"prompts/{segment(name)}/"
    wanted = version or server.get(where).body["latest_version"]
    if not wanted:
        raise CommandError(
            Exit.FINDINGS, {"code": "not_found", "detail": f"{name} has no published version yet."}
        )
    found = server.get(f"{where}versions/{segment(wanted)}/").body
    show(found, _version_lines(found), as_json=as_json)
    return Exit.FINE


@app.command
def publish(
    name: str,
    /,
    *,
    file: Annotated[Path | None, Parameter(help="Put this prompt (JSON) into the draft first.")] = None,
    version: Annotated[
        str | None, Parameter(help="Default: the smallest version that the change allows.")
    ] = None,
    changelog: Annotated[str, Parameter(help="What changed, for those who approve.")] = "",
    draft: Annotated[str, Parameter(help="Which draft.")] = "main",
    create: Annotated[bool, Parameter(help="Make the prompt if there is none by this name.")] = False,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Publish a draft as the next immutable version.

    Nobody's work is overwritten: if somebody saves the draft in between, nothing is published.

    Example: `promptctl prompts publish config-assistant --file prompt.json --changelog "Shorter answers."`

    Exit codes: 0 published · 1 refused: findings, nothing changed, version taken

    Parameters
    ----------
    name
        The prompt's name.
    """
    server = management(project=project, token_file=token_file)
    body = read_object(file, field="--file") if file else None
    if create:
        if body is None:
            raise usage("A new prompt needs --file.", field="--create")
        _create(server, name, body)
    where = f"prompts/{segment(name)}/drafts/{segment(draft)}/"
    current = server.get(where)
    if body is not None and body != current.body["body"]:
        current = server.put(where, {"body": body}, if_match=current.etag)
    wanted = {"changelog": changelog} | ({"version": version} if version else {})
    made = server.post(f"{where}publish/", wanted, if_match=current.etag).body
    show(made, [f"Published {made['name']} {made['version']}", f"  {made['digest']}"], as_json=as_json)
    return Exit.FINE


def _create(server: Management, name: str, body: dict[str, Any]) -> None:
    try:
        server.get(f"prompts/{segment(name)}/")
    except CommandError as error:
        if error.problem.get("code") != "not_found" or error.problem.get("field") == "project":
            raise
        server.post("prompts/", {"name": name, "body": body})


def _findings(document: Any, config: LintConfig) -> list[Finding]:
    try:
        spec = PromptSpec.from_dict(document)
    except SpecError as error:
        problem = {"code": error.code, "detail": error.message, "field": error.field}
        raise CommandError(Exit.FINDINGS, problem) from error
    return check_prompt(spec, config)


def _as_dict(finding: Finding) -> dict[str, Any]:
    """The names that the management API uses."""
    found = asdict(finding)
    return {"rule": found.pop("rule_id"), **found}


def _lines(file: Path, finding: Finding) -> list[str]:
    where = finding.field or (
        "prompt" if finding.message_index is None else f"messages[{finding.message_index}]"
    )
    if finding.line is not None:
        where += f":{finding.line}:{finding.column}"
    lines = [f"{file}: {where}: {finding.severity}: {finding.message} [{finding.rule_id}]"]
    return [*lines, f"    {finding.hint}"] if finding.hint else lines


def _version_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['name']} {found['version']}", f"  {found['digest']}"]
    if found["changelog"]:
        lines.append(f"  {found['changelog']}")
    if found.get("withdrawal_reason"):
        lines.append(f"  withdrawn: {found['withdrawal_reason']}")
    for message in found["body"]["messages"]:
        lines += ["", f"[{message['role']}]", message["content"]]
    return lines
