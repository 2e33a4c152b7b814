"""Did each rollout move as it was decided, and never further than planned?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import digest

_UP = {"start", "advance"}


def decisions(bundle: Opened, finding: Finding) -> None:
    """Decisions are numbered from 1 without a gap, each begins where the one before ended, and the last is where it stands."""
    for name, rollout in bundle.each("rollouts"):
        rows = rollout["decisions"]
        numbers = [one["number"] for one in rows]
        finding.expect(numbers == list(range(1, len(rows) + 1)), f"{name}: a decision is missing")
        state, weight = "pending", 0
        for one in rows:
            finding.expect(
                (one["from_state"], one["from_weight_bp"]) == (state, weight),
                f"{name}: decision {one['number']} does not begin where the one before ended",
            )
            state, weight = one["to_state"], one["to_weight_bp"]
        finding.expect(
            (rollout["state"], rollout["weight_bp"]) == (state, weight),
            f"{name}: it does not stand where its last decision left it",
        )


def weights(bundle: Opened, finding: Finding) -> None:
    """Every weight that the rollout ever had was decided: no change of traffic without a record."""
    for name, rollout in bundle.each("rollouts"):
        decided = _changes([0, *(one["to_weight_bp"] for one in rollout["decisions"])])
        routed = _changes(one["weight_bp"] for one in rollout["routing"])
        finding.expect(decided == routed, f"{name}: weights {routed} were routed, {decided} decided")


def plans(bundle: Opened, finding: Finding) -> None:
    """No decision went above its step of the approved plan, or skipped one."""
    asked = {promotion["id"]: promotion for _name, promotion in bundle.each("promotions")}
    for name, rollout in bundle.each("rollouts"):
        promotion = asked.get(rollout["promotion"])
        finding.expect(
            promotion is not None and digest(rollout["plan"]) == promotion["plan_digest"],
            f"{name}: its plan is not the one that was approved",
        )
        step = 0
        for one in rollout["decisions"]:
            where = f"{name}: decision {one['number']}"
            most = rollout["plan"]["steps"][one["step_index"]]["weight_bp"]
            finding.expect(one["step_index"] - step in {0, 1}, f"{where} left its step")
            finding.expect(one["to_weight_bp"] <= most, f"{where} went above the plan")
            rises = one["to_weight_bp"] > one["from_weight_bp"]
            finding.expect(not rises or one["kind"] in _UP, f"{where} raised the weight without a step up")
            step = one["step_index"]


def _changes(values: Iterable[Any]) -> list[Any]:
    """The values without repetitions in a row."""
    found: list[Any] = []
    for value in values:
        if not found or found[-1] != value:
            found.append(value)
    return found
