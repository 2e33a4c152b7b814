from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.files import read_object
from promptstore.cli.management import Management, management, segment
from promptstore.cli.options import Json, Project, Reason, TokenFile
from promptstore.cli.output import show
from promptstore.cli.releases.outcomes import PROMOTION, exit_of
from promptstore.cli.releases.pictures import promotion_lines
from promptstore.cli.releases.watching import Timeout, watch

# Somebody or something else has to act next, or it has ended.
_AFTER_CHECKS = frozenset(PROMOTION) - {"drafted", "checking"}
_SHORTEST_DIGEST = len("sha256:") + 12


def promote(
    release: str,
    /,
    *,
    environment: Annotated[str, Parameter(help="Where to, such as production.")],
    feature: Annotated[str, Parameter(help="Needed where the release is named by its version.")] = "",
    reason: Annotated[str, Parameter(help="Why now.")] = "",
    plan: Annotated[Path | None, Parameter(help="Another plan than the policy's: JSON with `steps`.")] = None,
    wait: Annotated[bool, Parameter(help="Stay until the gates have spoken.")] = False,
    timeout: Timeout = 600,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Ask to bring a release to an environment. Its gates run at once.

    Example: `promptctl releases promote 1.1.0 --feature config-assistant --environment production --wait`

    Exit codes: 0 requested (with `--wait`: gates passed) · 1 refused, or a gate said no · 3 still running at the timeout

    Parameters
    ----------
    release
        A version together with `--feature`, or a digest.
    """
    server = management(project=project, token_file=token_file)
    body: dict[str, Any] = {"release": release, "environment": environment, "reason": reason}
    if feature:
        body["feature"] = feature
    if plan is not None:
        body["plan"] = read_object(plan, field="--plan")
    made = server.post("promotions/", body).body
    if not wait:
        show(made, promotion_lines(made), as_json=as_json)
        return Exit.FINE
    return watch(
        lambda: server.get(f"promotions/{made['promotion']['id']}/").body,
        promotion_lines,
        ended=lambda found: found["promotion"]["state"] in _AFTER_CHECKS,
        outcome=lambda found: exit_of(PROMOTION, found["promotion"]["state"]),
        timeout_s=timeout,
        as_json=as_json,
    )


def approve(
    promotion: str,
    /,
    *,
    evidence: Annotated[
        str | None,
        Parameter(help="The evidence digest you looked at, whole or its first 12 digits and more."),
    ] = None,
    comment: Annotated[str, Parameter(help="Kept with your vote.")] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Vote for a promotion, bound to the evidence that you looked at.

    Without `--evidence` it shows what there is to approve and changes nothing. Nobody approves their own change.

    Example: `promptctl releases approve 0198c7de-… --evidence sha256:4f2c81aa93d0`

    Exit codes: 0 voted · 1 the evidence has changed, or nothing is to be approved · 2 without `--evidence` · 4 not allowed

    Parameters
    ----------
    promotion
        The promotion's id.
    """
    server = management(project=project, token_file=token_file)
    where = f"promotions/{segment(promotion)}/"
    found = server.get(where).body
    if evidence is None:
        show(found, promotion_lines(found), as_json=as_json)
        current = found["evidence_digest"]
        hint = f"repeat with --evidence {current}" if current else "its checks are not through yet"
        raise CommandError(
            Exit.USAGE, {"code": "usage", "detail": f"Nothing was approved: {hint}.", "field": "--evidence"}
        )
    body = {
        "release_digest": found["release_digest"],
        "evidence_digest": _same_evidence(evidence, found["evidence_digest"]),
        "comment": comment,
    }
    show_result(server.post(f"{where}approve/", body).body, as_json=as_json)
    return Exit.FINE


def reject(
    promotion: str,
    /,
    *,
    reason: Reason,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Refuse a promotion. One rejection is enough.

    Example: `promptctl releases reject 0198c7de-… --reason "Answers got longer."`

    Parameters
    ----------
    promotion
        The promotion's id.
    """
    server: Management = management(project=project, token_file=token_file)
    show_result(
        server.post(f"promotions/{segment(promotion)}/reject/", {"reason": reason}).body, as_json=as_json
    )
    return Exit.FINE


def show_result(found: dict[str, Any], *, as_json: bool) -> None:
    show(found, promotion_lines(found), as_json=as_json)


def _same_evidence(given: str, current: str | None) -> str:
    """The whole current digest, if `given` is it or a beginning of it that cannot be chance."""
    wanted = given if given.startswith("sha256:") else f"sha256:{given}"
    if current is None or len(wanted) < _SHORTEST_DIGEST or not current.startswith(wanted):
        problem = {
            "code": "stale_approval",
            "detail": f"That is not the evidence there is now ({current or 'none yet'}). Look again, then decide.",
            "field": "--evidence",
        }
        raise CommandError(Exit.FINDINGS, problem)
    return current
