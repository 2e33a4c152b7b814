"""`promptctl suites`: list, show and publish on a server."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.exits import Exit
from promptstore.cli.files import read_object
from promptstore.cli.management import management, segment
from promptstore.cli.options import Json, JsonFile, Project, TokenFile
from promptstore.cli.output import show, table

app = App(name="suites", help="Publish the suites that gates ask.", help_format="markdown")


@app.command(name="list")
def list_suites(
    *,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """List the project's suites with their newest versions.

    Example: `promptctl suites list --project acme`
    """
    found = management(project=project, token_file=token_file).every("suites/")
    lines = table([row["name"], row["latest_version"], f"{row['version_count']} versions"] for row in found)
    show(found, lines or ["No suites yet."], as_json=as_json)
    return Exit.FINE


@app.command(name="show")
def show_suite(
    name: str,
    /,
    *,
    version: Annotated[str | None, Parameter(help="Default: the newest.")] = None,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Write a version as a file that `publish` reads back.

    Example: `promptctl suites show support --version 1.0.0 > support.json`

    Parameters
    ----------
    name
        The suite.
    """
    server = management(project=project, token_file=token_file)
    wanted = version or server.get(f"suites/{segment(name)}/").body["latest_version"]
    found = server.get(f"suites/{segment(name)}/versions/{segment(wanted)}/").body
    show(found, [json.dumps(found["body"], indent=2, ensure_ascii=False)], as_json=as_json)
    return Exit.FINE


@app.command
def publish(
    file: JsonFile,
    /,
    *,
    version: Annotated[str | None, Parameter(help="Default: the next minor version.")] = None,
    changelog: Annotated[str, Parameter(help="What changed, for those who read reports.")] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Publish a suite under the name in its file, as an immutable version. The datasets that it names must be frozen.

    Example: `promptctl suites publish support.json --changelog "Groundedness counts."`

    Exit codes: 0 published · 1 refused: a member that cannot work, a dataset that is not frozen, nothing changed, version taken

    Parameters
    ----------
    file
        The suite as JSON; `-` reads standard input.
    """
    body = read_object(file)
    server = management(project=project, token_file=token_file)
    wanted = {"body": body, "changelog": changelog} | ({"version": version} if version else {})
    made = server.post("suites/", wanted).body
    lines = [f"Published {made['name']} {made['version']}", f"  {made['digest']}"]
    lines.append(f"  A policy pins it as {made['name']}@{made['version']} in gate_params.")
    show(made, lines, as_json=as_json)
    return Exit.FINE
