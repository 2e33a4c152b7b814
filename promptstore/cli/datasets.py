"""`promptctl datasets`: list, import, freeze and export on a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.files import MAX_BYTES
from promptstore.cli.management import Management, management, segment
from promptstore.cli.options import Json, JsonFile, Project, TokenFile
from promptstore.cli.output import show, table

app = App(name="datasets", help="Import, freeze and export datasets.", help_format="markdown")
FORMATS = ("jsonl", "csv")
Format = Annotated[
    str | None, Parameter(name="--format", help="`jsonl` or `csv`; default: what the file's name ends with.")
]


@app.command(name="list")
def list_datasets(
    *,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """List the project's datasets with their cases and newest versions.

    Example: `promptctl datasets list --project acme`
    """
    found = management(project=project, token_file=token_file).every("datasets/")
    lines = table(
        [
            row["name"],
            f"{row['case_count']} cases",
            row["latest_version"] or "not frozen",
            "danger set" if row["kind"] == "danger" else "",
        ]
        for row in found
    )
    show(found, lines or ["No datasets yet."], as_json=as_json)
    return Exit.FINE


@app.command(name="import")
def import_cases(
    name: str,
    file: JsonFile,
    /,
    *,
    file_format: Format = None,
    create: Annotated[bool, Parameter(help="Make the dataset if there is none by this name.")] = False,
    dry_run: Annotated[bool, Parameter(help="Check line by line and change nothing.")] = False,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Add the cases of a JSONL or CSV file, all or none.

    Keys that are there with the same content are left alone, so a file can be imported twice.

    Example: `promptctl datasets import config-cases cases.jsonl --create`

    Exit codes: 0 imported, or nothing to fix · 1 findings; nothing was imported

    Parameters
    ----------
    name
        The dataset.
    file
        The cases; `-` reads standard input.
    """
    wanted = _format(file_format, file)
    body = {"format": wanted, "text": _text(file), "dry_run": dry_run}
    server = management(project=project, token_file=token_file)
    if create and not dry_run:
        _create(server, name)
    report = server.post(f"datasets/{segment(name)}/import/", body).body
    would = "would be added" if dry_run else "added"
    lines = [f"{report['new']} cases {would}, {report['same']} there already"]
    lines += [
        f"{file}:{item['line']}: {item['field'] + ': ' if item['field'] else ''}{item['message']}"
        for item in report["findings"]
    ]
    show(report, lines, as_json=as_json)
    return Exit.FINDINGS if report["findings"] else Exit.FINE


@app.command
def freeze(
    name: str,
    /,
    *,
    version: Annotated[
        str | None, Parameter(help="Default: the smallest version that the change allows.")
    ] = None,
    changelog: Annotated[str, Parameter(help="What changed, for those who read reports.")] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Freeze the current cases as the next immutable version.

    Example: `promptctl datasets freeze config-cases --changelog "Three cases on caching."`

    Exit codes: 0 frozen · 1 refused: nothing changed, no cases, version taken

    Parameters
    ----------
    name
        The dataset.
    """
    server = management(project=project, token_file=token_file)
    wanted = {"changelog": changelog} | ({"version": version} if version else {})
    made = server.post(f"datasets/{segment(name)}/versions/", wanted).body
    lines = [f"Froze {made['name']} {made['version']}: {made['case_count']} cases", f"  {made['digest']}"]
    show(made, lines, as_json=as_json)
    return Exit.FINE


@app.command
def export(
    name: str,
    /,
    *,
    version: Annotated[str | None, Parameter(help="A frozen version; default: the current cases.")] = None,
    file_format: Format = None,
    output: Annotated[
        Path | None, Parameter(name="--output", help="Write to this file instead of standard output.")
    ] = None,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Write the cases as a file that `import` reads back. Erased cases are left out, and counted on standard error.

    Example: `promptctl datasets export config-cases --version 1.0.0 --output cases.csv`

    Parameters
    ----------
    name
        The dataset.
    """
    wanted = _format(file_format, output or Path("cases.jsonl"))
    server = management(project=project, token_file=token_file)
    query = {"as": wanted, "version": version or ""}
    found = server.get(f"datasets/{segment(name)}/export/", **query).body
    if output is not None:
        try:
            output.write_text(found["text"], encoding="utf-8", newline="")
        except OSError as error:
            raise usage(f"{output} cannot be written: {error.strerror}.", field="--output") from error
    if as_json:
        show(found, [], as_json=True)
    elif output is None:
        sys.stdout.write(found["text"])
    if found["erased"]:
        print(f"{found['erased']} erased cases are left out", file=sys.stderr)
    return Exit.FINE


def _format(given: str | None, file: Path) -> str:
    wanted = given or file.suffix.lower().removeprefix(".")
    if wanted not in FORMATS:
        raise usage("Say --format jsonl or --format csv.", field="--format")
    return wanted


def _text(file: Path) -> str:
    """The file as it is, line ends too; `-` is standard input."""
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise usage(f"{file} cannot be read: {error.strerror}.", field="FILE") from error
    if len(data) > MAX_BYTES:
        raise usage(f"{file} is larger than {MAX_BYTES // (1024 * 1024)} MB.", field="FILE")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise usage(f"{file} is not UTF-8 text.", field="FILE") from error


def _create(server: Management, name: str) -> None:
    try:
        server.get(f"datasets/{segment(name)}/")
    except CommandError as error:
        if error.problem.get("code") != "not_found" or error.problem.get("field") == "project":
            raise
        server.post("datasets/", {"name": name})
