from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import Exit
from promptstore.cli.management import management
from promptstore.cli.options import Json, Project, TokenFile
from promptstore.cli.output import show, table


def list_points(
    *,
    text: Annotated[str, Parameter(help="Part of the name of a feature, prompt, model or owner.")] = "",
    environment: Annotated[str, Parameter(help="One environment alone.")] = "",
    state: Annotated[
        str, Parameter(help="`live`, `silent` (live, never called) or `empty` (nothing live).")
    ] = "",
    sort: Annotated[
        str,
        Parameter(help="`feature`, `environment`, `owner`, `calls`, `last_call`; `--sort=-calls` descends."),
    ] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Every point of inference: each feature in each environment, what answers there and when it was last called.

    Example: `promptctl inventory list --state silent --project acme`
    """
    server = management(project=project, token_file=token_file)
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = server.get(
            "inventory/", text=text, environment=environment, state=state, sort=sort, cursor=cursor
        ).body
        found += page["results"]
        cursor = page["next"]
        if not cursor:
            break
    show(found, table(map(_row, found)) or ["No point of inference fits."], as_json=as_json)
    return Exit.FINE


def _row(point: dict[str, Any]) -> list[str]:
    pins = [f"{one['name']}@{one['version']}" for one in (*point["prompts"], *point["models"])]
    return [
        point["feature"],
        point["environment"],
        point["release"] or "nothing live",
        " ".join(pins),
        f"{point['calls_per_day']} calls in 24 h",
        f"last {point['last_call']}" if point["last_call"] else "never called",
        point["owner"] or "no owner",
    ]
