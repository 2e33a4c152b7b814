"""`kill -9` of each process while a rollout climbs: it goes on to the end, and nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.conftest import Instance, Traffic, eventually

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(280)]
STEPS = [200, 1_000, 5_000, 10_000]
END_WITHIN_S = 100


def climbs(instance: Instance, rollout: str, *victims: str) -> dict[str, Any]:
    """Kill `victims` once the rollout has left its first step; wait for its end and return the report."""
    with Traffic(instance):
        eventually(
            lambda: int(instance.drive("report", rollout)["weight_bp"]) >= STEPS[1], within_s=END_WITHIN_S, what="first step"
        )  # fmt: skip
        for victim in victims:
            instance.kill(victim)
        eventually(
            lambda: instance.drive("report", rollout)["state"] == "completed", within_s=END_WITHIN_S, what="the end"
        )
    return instance.drive("report", rollout)


def must_hold(report: dict[str, Any]) -> None:
    """Decisions dense and chained, one audit event each, no weight above its step's, an audit log that verifies."""
    decisions = report["decisions"]
    assert [row[0] for row in decisions] == list(range(1, len(decisions) + 1))
    assert [row[1] for row in decisions] == ["start", "advance", "advance", "advance", "complete"]
    assert all(before[3] == after[2] for before, after in zip(decisions, decisions[1:], strict=False))
    assert all(row[3] <= STEPS[row[4]] for row in decisions)
    assert report["audit_events"] == len(decisions)
    assert report["audit_faults"] == []
    assert report["live_rollouts"] == 0
    assert report["rolled_up"] == len(report["inferences"])


@pytest.mark.parametrize("victim", ["worker", "scheduler", "serving", "postgres"])
def test_a_rollout_survives_kill_nine_of(instance: Instance, victim: str) -> None:
    started = instance.drive("start")
    report = climbs(instance, started["rollout"], victim)
    must_hold(report)
    assert report["live"].endswith(started["version"])
    if victim != "serving":  # a node killed between an answer and its record loses that one record

        def all_recorded() -> bool:
            return set(instance.answered) <= set(instance.drive("report", started["rollout"])["inferences"])

        eventually(all_recorded, within_s=20, what="every answered call is recorded, once")


def test_a_flushed_broker_loses_nothing(instance: Instance) -> None:
    import redis

    started = instance.drive("start")
    redis.Redis.from_url(instance.environ["BROKER_URL"]).flushall()
    must_hold(climbs(instance, started["rollout"]))
