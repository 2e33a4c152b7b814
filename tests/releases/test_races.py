"""Operations that run beside themselves, with real threads and real commits."""

from __future__ import annotations

import pytest

from promptstore.core.clock import ManualClock
from promptstore.core.models import AuditEvent, OutboxMessage
from providers.scripted import ScriptedServer
from releases import controller, services
from releases.models import Rollout, RolloutDecision, Vote
from serving.models import Root
from tests.cast import make_cast
from tests.threads import at_once
from tests.traffic import record
from tests.world import PLAN, SHADOW, World, make_world, production_policy


@pytest.fixture
def world(transactional_db: None, provider: ScriptedServer, clock: ManualClock) -> World:
    """Like the world of other tests, but committed, so that threads see it."""
    return make_world(make_cast("acme"), provider)


def test_two_approvals_at_once_count_once_each(world: World) -> None:
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(quorum=2),
    )  # fmt: skip
    promotion = world.check(world.request())
    at_once(lambda: world.approve(promotion), lambda: world.approve(promotion, actor="owner"))
    promotion.refresh_from_db()
    assert promotion.state in {"approved", "rolling_out"}
    assert Vote.objects.count() == 2
    assert AuditEvent.objects.filter(action="promotion.approved").count() == 1


def test_one_person_voting_twice_at_once_counts_once(world: World) -> None:
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(quorum=2),
    )  # fmt: skip
    promotion = world.check(world.request())
    at_once(*[lambda: world.approve(promotion)] * 4)
    promotion.refresh_from_db()
    assert (promotion.state, Vote.objects.count()) == ("awaiting_approval", 1)


def test_starts_delivered_three_times_at_once_make_one_rollout(world: World) -> None:
    promotion = world.check(world.request())
    world.approve(promotion)
    at_once(*[lambda: services.start_promotion(promotion_id=promotion.id)] * 3)
    assert Rollout.objects.count() == 1
    assert RolloutDecision.objects.count() == 1


def test_an_approval_and_a_rejection_at_once_leave_one_outcome(world: World) -> None:
    promotion = world.check(world.request())
    at_once(
        lambda: world.approve(promotion),
        lambda: services.reject_promotion(
            actor=world.cast.actor("owner"),
            project_id=world.cast.project.id,
            promotion_id=promotion.id,
            reason="No.",
        ),
    )
    services.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert promotion.state == "rejected", "a rejection before the start wins, whichever came first"
    assert not Rollout.objects.exists()


def test_controllers_side_by_side_move_a_rollout_once(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    for _ in range(6):
        record(rollout, "candidate", 20)
        record(rollout, "stable", 20)
        clock.advance(minutes=1)
    at_once(*[controller.tick] * 4)
    rollout.refresh_from_db()
    assert rollout.weight_bp == 1_000
    kinds = list(rollout.decisions.values_list("kind", flat=True).order_by("number"))
    assert kinds == ["start", "advance", "advance"]


def test_a_rollback_and_an_advance_at_once_end_in_the_rollback(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    record(rollout, "candidate", 40)
    clock.advance(minutes=6)
    operator, project = world.cast.actor("operator"), world.cast.project.id
    at_once(
        lambda: services.advance_rollout(
            actor=operator, project_id=project, rollout_id=rollout.id, expected_step=0, reason="Go."
        ),
        lambda: services.roll_back(actor=operator, project_id=project, rollout_id=rollout.id, reason="Stop."),
    )
    rollout.refresh_from_db()
    assert rollout.state == "rolling_back"
    assert rollout.weight_bp in {150, 750}


def test_every_commit_that_moves_traffic_is_published_in_order(world: World) -> None:
    world.roll_out()
    assert not OutboxMessage.objects.filter(topic="snapshot.publish", done_at__isnull=True).exists()
    generations = list(
        Root.objects.filter(environment=world.cast.production)
        .order_by("id")
        .values_list("generation", flat=True)
    )
    assert generations == list(range(1, len(generations) + 1))


def test_two_controllers_end_the_copies_of_a_spent_budget_once(world: World, clock: ManualClock) -> None:
    costly = {"steps": [SHADOW | {"max_cost_nanos": 8_800}, *PLAN["steps"][1:]]}
    promotion = world.check(world.request(plan=costly))
    world.approve(promotion)
    services.start_promotion(promotion_id=promotion.id)
    rollout = Rollout.objects.get()
    record(rollout, "shadow", 1)
    at_once(*[controller.tick] * 4)
    rollout.refresh_from_db()
    assert (rollout.state, rollout.mirrored_bp) == ("running", 0)
    assert [one.kind for one in rollout.decisions.order_by("number")] == ["start", "stop_mirroring"]
