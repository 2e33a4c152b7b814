from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.management import Management, management, segment
from promptstore.cli.options import Json, Project, Reason, TokenFile
from promptstore.cli.output import show
from promptstore.cli.releases.pictures import rollout_lines


def pause(
    rollout: str, /, *, reason: Reason, project: Project, token_file: TokenFile = None, as_json: Json = False
) -> Exit:
    """Hold the weight where it is. Rules keep being measured: a breach still rolls back.

    Example: `promptctl releases pause 0198c7de-… --reason "Provider incident."`

    Parameters
    ----------
    rollout
        The id of the rollout, or of its promotion.
    """
    return _steer(
        management(project=project, token_file=token_file), rollout, "pause", {"reason": reason}, as_json
    )


def resume(
    rollout: str,
    /,
    *,
    reason: Annotated[str, Parameter(help="Kept in the decision log.")] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Go on with a paused rollout.

    Example: `promptctl releases resume 0198c7de-…`

    Parameters
    ----------
    rollout
        The id of the rollout, or of its promotion.
    """
    return _steer(
        management(project=project, token_file=token_file), rollout, "resume", {"reason": reason}, as_json
    )


def advance(
    rollout: str,
    /,
    *,
    step: Annotated[
        int, Parameter(help="The step you see it at, counted from 1; if it has moved on, nothing happens.")
    ],
    reason: Reason,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Go to the next step now. Refused until the canary has met its minimum.

    Example: `promptctl releases advance 0198c7de-… --step 2 --reason "Enough traffic seen."`

    Exit codes: 0 advanced · 1 the canary lacks time or samples, or the step has moved · 4 not allowed

    Parameters
    ----------
    rollout
        The id of the rollout, or of its promotion.
    """
    body = {"expected_step": step - 1, "reason": reason}
    return _steer(management(project=project, token_file=token_file), rollout, "advance", body, as_json)


def rollback(
    rollout: str,
    /,
    *,
    reason: Reason,
    at_once: Annotated[bool, Parameter(help="To 0 now, instead of step by step.")] = False,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Take the candidate back, step by step or at once.

    Example: `promptctl releases rollback 0198c7de-… --reason "Wrong keys suggested." --at-once`

    Parameters
    ----------
    rollout
        The id of the rollout, or of its promotion.
    """
    body = {"reason": reason, "at_once": at_once}
    return _steer(management(project=project, token_file=token_file), rollout, "roll_back", body, as_json)


def rollout_id_of(server: Management, given: str) -> str:
    """`given`, or the rollout of the promotion that `given` names."""
    try:
        found: dict[str, Any] = server.get(f"promotions/{segment(given)}/").body
    except CommandError as error:
        if error.problem.get("status") != 404:
            raise
        return given
    rollout = found["promotion"]["rollout"]
    if rollout is None:
        problem = {"code": "not_found", "detail": "This promotion has no rollout (yet).", "field": "ROLLOUT"}
        raise CommandError(Exit.FINDINGS, problem)
    return str(rollout)


def _steer(server: Management, given: str, action: str, body: dict[str, Any], as_json: bool) -> Exit:
    found = server.post(f"rollouts/{segment(rollout_id_of(server, given))}/{action}/", body).body
    show(found, rollout_lines(found), as_json=as_json)
    return Exit.FINE
