"""`kill -9` of each part while a rollout steps: on its return everything goes on, and nothing was lost or doubled."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections

from incidents.models import Incident
from releases.models import Rollout
from tests.chaos.conftest import BAD, GOOD, Stage
from tests.chaos.instance import eventually
from tests.chaos.invariants import check_audit, check_decisions, check_inferences, check_published
from tests.chaos.load import Load
from tests.chaos.watch import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(60, func_only=True)]


def fresh(rollout: Rollout) -> Rollout:
    """The row as it is now; `rollout` as it was where the database cannot say."""
    try:
        rollout.refresh_from_db()
    except DatabaseError:
        connections["default"].close()
    return rollout


def reach(rollout: Rollout, weight_bp: int) -> None:
    eventually(lambda: fresh(rollout).weight_bp >= weight_bp, f"the rollout is at {weight_bp}")


def finish(rollout: Rollout) -> None:
    eventually(lambda: fresh(rollout).state == "completed", "the rollout has completed", within_s=40)
    rollout.promotion.refresh_from_db()
    assert rollout.promotion.state == "live"
    deployment = rollout.deployment
    deployment.refresh_from_db()
    assert deployment.stable_release_id == rollout.candidate_id


def check(rollout: Rollout, *, kills: int) -> None:
    decisions = check_decisions(rollout)
    assert [decision.kind for decision in decisions] == ["start", *["advance"] * 4, "complete"]
    check_audit(rollout)
    check_published(rollout, kills=kills)


def test_a_killed_worker_continues_the_rollout(stage: Stage, watched: Watch, traffic: Load) -> None:
    rollout = stage.roll_out()
    for weight in (1_000, 5_000):
        reach(rollout, weight)
        stage.instance.kill("worker")
        stage.instance.start("worker")
    finish(rollout)
    check(rollout, kills=2)
    check_inferences(stage.instance, traffic)
    assert not traffic.broken
    assert not traffic.refused


def test_a_killed_scheduler_continues_the_rollout(stage: Stage, watched: Watch, traffic: Load) -> None:
    rollout = stage.roll_out()
    reach(rollout, 1_000)
    stage.instance.kill("beat")
    stage.instance.start("beat")
    finish(rollout)
    check(rollout, kills=0)
    check_inferences(stage.instance, traffic)


def test_a_killed_serving_node_continues_the_rollout(stage: Stage, watched: Watch, traffic: Load) -> None:
    rollout = stage.roll_out()
    for weight in (500, 1_000):
        reach(rollout, weight)
        eventually(lambda: "candidate" in traffic.arms(), "the candidate answers")
        stage.instance.kill("serving")
        stage.instance.start("serving")
    finish(rollout)
    check(rollout, kills=0)
    check_inferences(stage.instance, traffic, node_kills=2)
    assert not traffic.refused


def test_a_killed_postgres_continues_the_rollout(stage: Stage, watched: Watch, traffic: Load) -> None:
    rollout = stage.roll_out()
    reach(rollout, 1_000)
    stage.instance.kill("postgres")
    connections["default"].close()
    answered = len(traffic.answered)
    eventually(lambda: len(traffic.answered) > answered + 30, "the node answers without Postgres")
    eventually(lambda: stage.instance.ready()["stale_since"] is not None, "and says since when it is stale")
    stage.instance.start("postgres")
    finish(rollout)
    check(rollout, kills=1)
    check_inferences(stage.instance, traffic)
    assert not traffic.broken
    assert not traffic.refused
    assert stage.instance.ready()["stale_since"] is None


def test_a_rollback_goes_on_down_after_worker_and_postgres_were_killed(
    stage: Stage, watched: Watch, traffic: Load
) -> None:
    rollout = stage.roll_out("fickle@1.0.0")
    reach(rollout, 1_000)
    stage.instance.script(BAD)
    try:
        eventually(lambda: fresh(rollout).state == "rolling_back", "the breach was seen")
        stage.instance.kill("worker")
        stage.instance.kill("postgres")
        connections["default"].close()
        stage.instance.start("postgres")
        stage.instance.start("worker")
        eventually(lambda: fresh(rollout).state == "rolled_back", "the candidate is withdrawn", within_s=40)
    finally:
        stage.instance.script(GOOD)
    decisions = check_decisions(rollout)
    peak = rollout.withdrawn_bp
    down = [
        decision.to_weight_bp
        for decision in decisions
        if decision.kind in {"roll_back", "step_down", "finish_rollback"}
    ]
    assert down == [peak * percent // 100 for percent in (75, 50, 25)] + [0] * (len(down) - 3)
    check_audit(rollout)
    check_published(rollout, kills=2)
    check_inferences(stage.instance, traffic)
    assert Incident.objects.filter(rollout_id=rollout.id).count() == 1
