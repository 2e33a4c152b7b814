from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.management import Management, management, segment
from promptstore.cli.options import Json, Project, TokenFile
from promptstore.cli.output import show, table
from promptstore.cli.releases.outcomes import PROMOTION, PROMOTION_ENDS, ROLLOUT, ROLLOUT_ENDS, exit_of
from promptstore.cli.releases.pictures import promotion_lines, promotion_row, rollout_lines, rollout_row
from promptstore.cli.releases.watching import Timeout, watch


def status(
    id: str | None = None,  # noqa: A002 - the name people see in --help
    /,
    *,
    watch_it: Annotated[
        bool, Parameter(name="--watch", help="Stay, and show every change until it has ended.")
    ] = False,
    timeout: Timeout = 86_400,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """What is on its way: everything open, or one promotion or rollout in detail.

    Example: `promptctl releases status 0198c7de-… --watch`

    Exit codes: 0 on its way or live · 1 blocked, rejected or rolled back · 3 cancelled, expired, superseded or aborted, or not
    ended at the timeout · 4 unreachable

    Parameters
    ----------
    id
        A promotion's or a rollout's id. A promotion leads on to its rollout.
    """
    server = management(project=project, token_file=token_file)
    if id is None:
        if watch_it:
            raise usage("Name the promotion or rollout to watch.", field="ID")
        return _overview(server, as_json=as_json)
    if not watch_it:
        found = _read(server, id)
        show(found, _lines(found), as_json=as_json)
        return _outcome(found)
    return watch(
        lambda: _read(server, id), _lines, ended=_ended, outcome=_outcome, timeout_s=timeout, as_json=as_json
    )


def _overview(server: Management, *, as_json: bool) -> Exit:
    promotions = server.get("promotions/", state="open").body["results"]
    rollouts = server.get("rollouts/", live="1").body["results"]
    lines = [
        *_section("Rollouts", map(rollout_row, rollouts)),
        *_section("Promotions", map(promotion_row, promotions)),
    ]
    show(
        {"promotions": promotions, "rollouts": rollouts}, lines or ["Nothing is on its way."], as_json=as_json
    )
    return Exit.FINE


def _section(title: str, rows: Any) -> list[str]:
    lines = table(rows)
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _read(server: Management, given: str) -> dict[str, Any]:
    """The rollout of that id, or of that promotion once it has one; else the promotion."""
    found: dict[str, Any]
    try:
        found = server.get(f"promotions/{segment(given)}/").body
    except CommandError as error:
        if error.problem.get("status") != 404:
            raise
        rollout = given
    else:
        rollout = found["promotion"]["rollout"]
    if rollout:
        found = server.get(f"rollouts/{segment(rollout)}/").body
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    return rollout_lines(found) if "rollout" in found else promotion_lines(found)


def _ended(found: dict[str, Any]) -> bool:
    if "rollout" in found:
        return found["rollout"]["state"] in ROLLOUT_ENDS
    return found["promotion"]["state"] in PROMOTION_ENDS


def _outcome(found: dict[str, Any]) -> Exit:
    if "rollout" in found:
        return exit_of(ROLLOUT, found["rollout"]["state"])
    return exit_of(PROMOTION, found["promotion"]["state"])
