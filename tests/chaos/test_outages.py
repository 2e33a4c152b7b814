"""A forgetful broker, one scheduler too many, and a data plane left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
import redis
from django.db import connections

from promptstore.core.models import OutboxMessage
from releases.models import Evidence, Rollout
from tests.chaos.conftest import GOOD, Stage, state_of
from tests.chaos.instance import eventually
from tests.chaos.invariants import check_audit, check_decisions, check_inferences, check_published
from tests.chaos.load import Load, load
from tests.chaos.watch import Watch
from tests.world import ANSWER

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(60, func_only=True)]


def test_a_flushed_broker_during_checks_loses_nothing(stage: Stage) -> None:
    # Slow enough that some checks run and others wait when everything is forgotten.
    stage.instance.script({"default": {"answer": ANSWER, "latency_ms": 2_000}})
    try:
        promotions = [stage.world.request(stage.release()) for _ in range(4)]
        with redis.Redis.from_url(stage.instance.valkey.url) as broker:
            eventually(lambda: bool(broker.hlen("unacked")), "a check is under way")
            broker.flushall()
        for promotion in promotions:
            eventually(
                lambda each=promotion: state_of(each) == "awaiting_approval",  # type: ignore[misc]
                "every promotion is checked",
                within_s=50,
            )
    finally:
        stage.instance.script(GOOD)
    for promotion in promotions:
        assert (promotion.check_round, Evidence.objects.filter(promotion=promotion).count()) == (1, 1)
    owed = OutboxMessage.objects.filter(topic="promotion.check", done_at__isnull=True)
    eventually(lambda: not owed.exists(), "nothing is owed")


def test_a_killed_broker_continues_the_rollout(stage: Stage, watched: Watch, traffic: Load) -> None:
    rollout = stage.roll_out()
    stage.instance.kill("valkey")
    eventually(lambda: len(traffic.answered) > 30, "the node needs no broker")
    stage.instance.start("valkey")
    # Celery reconnects, or gives up and ends; then its supervisor starts it again, whose part the test plays.
    see_through(stage, rollout, traffic, meanwhile=lambda: stage.instance.start_missing("worker", "beat"))


def test_two_schedulers_at_once_change_nothing(stage: Stage, watched: Watch, traffic: Load) -> None:
    stage.instance.start("second beat")
    try:
        rollout = stage.roll_out()
        see_through(stage, rollout, traffic)
    finally:
        stage.instance.stop("second beat")
    steps = rollout.promotion.plan["steps"]
    decisions = list(rollout.decisions.order_by("number"))
    for step, (entered, left) in zip(steps, pairwise(decisions), strict=True):
        assert (left.at - entered.at).total_seconds() >= step["min_duration_s"]


def see_through(
    stage: Stage, rollout: Rollout, traffic: Load, *, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """To its end, each step once."""

    def has_completed() -> bool:
        meanwhile()
        return Rollout.objects.get(pk=rollout.pk).state == "completed"

    eventually(has_completed, "the rollout has completed", within_s=40)
    rollout.refresh_from_db()
    decisions = check_decisions(rollout)
    assert [decision.kind for decision in decisions] == ["start", *["advance"] * 4, "complete"]
    check_audit(rollout)
    check_published(rollout)
    check_inferences(stage.instance, traffic)


def test_a_node_on_its_own_answers_restarts_and_delivers_later(
    stage: Stage, request: pytest.FixtureRequest
) -> None:
    instance = stage.instance
    with load(instance.serving_port, stage.key, request.node.name) as traffic:
        before = json.loads(instance.get("/v1/features/assistant/resolve?unit=u", stage.key)[1])
        instance.stop("worker", "beat", "postgres")
        connections["default"].close()
        try:
            eventually(lambda: instance.ready()["stale_since"] is not None, "the node notices")
            stale_since = instance.ready()["stale_since"]
            answer_as_before(stage, traffic, before)
            assert instance.ready()["stale_since"] == stale_since, "since the same moment all along"
            instance.kill("serving")
            instance.start("serving")
            answer_as_before(stage, traffic, before)
            assert instance.ready()["stale_since"] <= stale_since
            assert instance.ready()["spool_bytes"] > 0
        finally:
            instance.start("postgres")
            instance.start("worker", "beat")
        eventually(lambda: instance.ready()["stale_since"] is None, "the node is up to date again")
    check_inferences(instance, traffic, node_kills=1)
    assert not traffic.refused


def answer_as_before(stage: Stage, traffic: Load, before: dict[str, object]) -> None:
    status, body, headers = stage.instance.get("/v1/features/assistant/resolve?unit=u", stage.key)
    assert status == 200
    assert json.loads(body) == before
    assert "x-promptstore-stale-since" in headers
    ready = stage.instance.ready()
    assert ready["status"] == "ready"
    assert (
        ready["environments"][0]["stale_since"]
        == ready["stale_since"]
        == headers["x-promptstore-stale-since"]
    )
    answered = len(traffic.answered)
    eventually(lambda: len(traffic.answered) > answered + 30, "chat is answered")
