"""Does the audit log tell the same story as the rest of the bundle?"""

from __future__ import annotations

from typing import Any

from promptstore.cli.bundles.approvals import BINDING
from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened


def recorded(bundle: Opened, finding: Finding) -> None:
    """The release, each approval and each decision of a rollout stand in the audit log as they stand here.

    What the log lacks is a fault, unless as many events were left out or withheld: then it stays open.
    """
    lacking: list[str] = []
    finding.checked += _release(bundle, lacking)
    for name, promotion in bundle.each("promotions"):
        finding.checked += _votes(bundle, name, promotion, lacking)
    for name, rollout in bundle.each("rollouts"):
        finding.checked += _decisions(bundle, name, rollout, lacking, finding)
    excused = len(lacking) <= bundle.unseen_events
    (finding.doubts if excused else finding.faults).extend(lacking)


def _release(bundle: Opened, lacking: list[str]) -> int:
    release = bundle.json("release.json")
    contributors = {one["id"] for one in release["contributors"]}
    composed = [
        (one["after"]["digest"], one["actor"]["kind"] != "user" or one["actor"]["id"] in contributors)
        for one in bundle.events("release", release["id"])
        if one["action"] == "release.composed"
    ]
    if composed != [(bundle.release_digest, True)]:
        lacking.append("release.json: the audit log does not say that a contributor composed exactly this")
    return 1


def _votes(bundle: Opened, name: str, promotion: dict[str, Any], lacking: list[str]) -> int:
    cast = {
        (one["actor"]["id"], *(one["after"][part] for part in BINDING))
        for one in bundle.events("promotion", promotion["id"])
        if one["action"] == "promotion.vote_cast"
    }
    approvals = [vote for vote in promotion["votes"] if vote["choice"] == "approve"]
    for vote in approvals:
        if (vote["by"]["id"], *(vote[part] for part in BINDING)) not in cast:
            lacking.append(f"{name}: the approval of {vote['by']['name']} is not in the audit log")
    return len(approvals)


def _decisions(
    bundle: Opened, name: str, rollout: dict[str, Any], lacking: list[str], finding: Finding
) -> int:
    moves = {
        one["after"]["decision"]: (one["before"]["weight_bp"], one["after"]["weight_bp"])
        for one in bundle.events("rollout", rollout["id"])
        if one["after"] and "decision" in one["after"]
    }
    known = set()
    for one in rollout["decisions"]:
        known.add(one["id"])
        if moves.get(one["id"]) != (one["from_weight_bp"], one["to_weight_bp"]):
            lacking.append(f"{name}: decision {one['number']} is not in the audit log as it is here")
    for extra in sorted(moves.keys() - known):
        finding.faults.append(f"{name}: the audit log knows decision {extra}, which is not here")
    return len(known)
