"""A tick reads all rollouts together: its queries do not grow with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from promptstore.core.clock import ManualClock
from registry.services import features
from releases import controller
from releases.measuring import Measured, measure, samples_in_step
from releases.models import Deployment, Measurement, Promotion, Release, Rollout
from releases.routing import Arm
from telemetry.models import Inference
from tests.traffic import record
from tests.world import World

# Of one tick that moves nothing: approved promotions, due rollouts; then a savepoint, locks, rollouts, minutes, first minutes, the
# latest measurements, new ones (in a savepoint), samples, and the end of the savepoint.
MOST = 13


@pytest.fixture
def rollouts(world: World, clock: ManualClock) -> list[Rollout]:
    """Four at their first step, each with a feature of its own."""
    first = world.roll_out()
    return [first, *(_like(first, world, slug=f"assistant-{number}") for number in range(3))]


def _like(first: Rollout, world: World, *, slug: str) -> Rollout:
    project_id = first.project_id
    feature = features.create_feature(
        actor=world.cast.actor("owner"), project_id=project_id, slug=slug, name=slug
    )
    baseline, candidate = (
        Release.objects.create(
            project_id=project_id,
            feature=feature,
            version=version,
            manifest={"models": {}},
            digest=f"sha256:{slug}-{version}",
        )
        for version in ("1.0.0", "1.1.0")
    )
    deployment = Deployment.objects.create(
        project_id=project_id,
        feature=feature,
        environment=first.deployment.environment,
        stable_release=baseline,
    )
    old = first.promotion
    promotion = Promotion.objects.create(
        project_id=project_id,
        deployment=deployment,
        release=candidate,
        base_release=baseline,
        policy=old.policy,
        plan=old.plan,
        plan_digest=old.plan_digest,
        state=old.state,
        expires_at=old.expires_at,
    )
    return Rollout.objects.create(
        project_id=project_id,
        promotion=promotion,
        deployment=deployment,
        baseline=baseline,
        candidate=candidate,
        state=first.state,
        salt=slug,
        step_index=first.step_index,
        step_entered_at=first.step_entered_at,
        weight_bp=first.weight_bp,
        last_moved_at=first.last_moved_at,
        on_withdraw="stable",
    )


def test_the_queries_of_a_tick_do_not_grow_with_the_rollouts(
    rollouts: list[Rollout], clock: ManualClock, count_queries: Callable[[], Any]
) -> None:
    seen = []
    for some in (rollouts[:1], rollouts):
        clock.advance(seconds=5)
        Rollout.objects.exclude(pk__in=[one.pk for one in some]).update(state="aborted")
        Rollout.objects.filter(pk__in=[one.pk for one in some]).update(state="running")
        for rollout in some:
            record(rollout, "candidate", 12)
            record(rollout, "stable", 30)
        before = Measurement.objects.count()
        with count_queries() as queries:
            assert controller.tick() == 0
        assert Measurement.objects.count() > before
        seen.append(len(queries))
    assert seen[0] == seen[1] <= MOST


def test_each_rollout_is_judged_by_its_own_calls(rollouts: list[Rollout], clock: ManualClock) -> None:
    sick, *well = rollouts
    for _ in range(3):
        record(sick, "candidate", 30, policy_hits=12)
        for rollout in well:
            record(rollout, "candidate", 30)
        for rollout in rollouts:
            record(rollout, "stable", 30)
        clock.advance(minutes=1)
    assert controller.tick() == 1
    assert [one.state for one in Rollout.objects.order_by("id")] == ["rolling_back", *["running"] * 3]
    for rollout in rollouts:
        verdicts = dict(Measurement.objects.filter(rollout=rollout).values_list("rule_id", "verdict"))
        assert verdicts["policy"] == ("fail" if rollout == sick else "pass")


def test_samples_count_from_the_moment_a_step_was_entered(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    clock.advance(seconds=30)
    Rollout.objects.update(step_entered_at=clock.now())
    rollout.refresh_from_db()
    moments = [timedelta(seconds=seconds) for seconds in (-1, 0, 1, 29, 30, 31, 90, 600)]
    for moment in moments:
        record(rollout, "candidate", 1, at=clock.now() + moment)
    record(rollout, "stable", 3, at=clock.now() + timedelta(minutes=2))
    counted = Inference.objects.filter(
        rollout_id=rollout.pk, arm="candidate", at__gte=rollout.step_entered_at
    ).count()
    assert samples_in_step(rollout) == {Arm.CANDIDATE: counted, Arm.STABLE: 3}
    assert counted == len(moments) - 1


def test_trouble_in_measuring_together_leaves_each_rollout_to_itself(
    rollouts: list[Rollout], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = rollouts[-1]
    for _ in range(3):
        record(sick, "candidate", 30, policy_hits=12)
        clock.advance(minutes=1)

    def only_one(some: Sequence[Rollout], now: datetime) -> list[Measured]:
        if len(some) > 1:
            raise LookupError("one of them is odd")
        return measure(some, now)

    monkeypatch.setattr("releases.controller.measure", only_one)
    assert controller.tick() == 1
    sick.refresh_from_db()
    assert sick.state == "rolling_back"
