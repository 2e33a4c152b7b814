from __future__ import annotations

import pytest

from incidents.models import Incident
from incidents.services import mitigate
from promptstore.core.clock import ManualClock
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.models import AuditEvent
from releases import controller, services
from releases.models import LivePeriod, Measurement, Rollout
from releases.selectors.routing import routing_of
from tests.traffic import record
from tests.world import World


def _good(rollout: Rollout, candidate: int = 25, stable: int = 200) -> None:
    record(rollout, "candidate", candidate)
    if rollout.weight_bp < 10_000:
        record(rollout, "stable", stable)


def _step(rollout: Rollout, clock: ManualClock) -> Rollout:
    """Five minutes with traffic in each, then a tick."""
    for _ in range(6):
        _good(rollout)
        clock.advance(minutes=1)
    controller.tick()
    rollout.refresh_from_db()
    return rollout


def test_nothing_moves_without_data(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    clock.advance(hours=5)
    assert controller.tick() == 0
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("running", 200)
    assert set(Measurement.objects.values_list("verdict", flat=True)) == {"no_data"}


def test_nothing_moves_before_the_minimum_time_however_much_traffic_there_is(
    world: World, clock: ManualClock
) -> None:
    rollout = world.roll_out()
    _good(rollout, candidate=500)
    clock.advance(minutes=4, seconds=59)
    assert controller.tick() == 0


def test_time_and_samples_with_good_data_climb_every_step_to_live(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    before = rollout.baseline
    for weight in (1_000, 5_000, 10_000):
        assert _step(rollout, clock).weight_bp == weight
    rollout = _step(rollout, clock)
    assert rollout.state == "completed"
    assert world.production.stable_release == rollout.candidate != before
    assert rollout.promotion.state == "live"
    assert LivePeriod.objects.filter(release=rollout.candidate, how="promoted").exists()


def test_a_breached_rule_steps_down_by_quarters_and_opens_one_incident(
    world: World, clock: ManualClock
) -> None:
    rollout = _step(_step(world.roll_out(), clock), clock)
    assert rollout.weight_bp == 5_000
    weights = []
    for _ in range(3):
        record(rollout, "candidate", 30, policy_hits=12)
        record(rollout, "stable", 30)
        clock.advance(minutes=1)
    for _ in range(60):
        controller.tick()
        rollout.refresh_from_db()
        weights.append(rollout.weight_bp)
        clock.advance(minutes=1)
    assert sorted(set(weights), reverse=True) == [3_750, 2_500, 1_250, 0]
    assert weights == sorted(weights, reverse=True), "never up again"
    assert weights.count(3_750) == weights.count(2_500) == weights.count(1_250) == 5, "five minutes apart"
    assert rollout.state == "rolled_back"
    assert rollout.promotion.state == "rolled_back"
    incident = Incident.objects.get()
    assert incident.severity == "P1"
    assert "policy_filter_rate" in incident.evidence["charts"]
    assert incident.evidence["samples"][0]["policy_reasons"] == ["forbidden"]


def test_recovered_metrics_do_not_stop_the_way_down(world: World, clock: ManualClock) -> None:
    rollout = _step(world.roll_out(), clock)
    for _ in range(3):
        record(rollout, "candidate", 30, policy_hits=30)
        clock.advance(minutes=1)
    controller.tick()
    clock.advance(minutes=30)
    _good(rollout)
    controller.tick()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("rolling_back", 500)


def test_a_cut_rule_takes_all_traffic_at_once(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    for _ in range(2):
        record(rollout, "candidate", 20, errors=15)
        clock.advance(minutes=1)
    controller.tick()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp, rollout.withdrawn_bp) == ("rolled_back", 0, 200)


def test_withdrawn_units_stay_in_safe_mode_until_the_incident_is_mitigated(
    world: World, clock: ManualClock
) -> None:
    rollout = world.roll_out()
    for _ in range(2):
        record(rollout, "candidate", 20, errors=15)
        clock.advance(minutes=1)
    controller.tick()
    assert routing_of(world.production) == rollout
    nxt = world.check(world.request(world.compose()))
    world.approve(nxt)
    assert not services.start_promotion(promotion_id=nxt.id), "units are still withdrawn"
    incident = Incident.objects.get()
    mitigate(
        actor=world.cast.actor("operator"),
        project_id=world.cast.project.id,
        incident_id=incident.id,
        reason="ok",
    )
    assert routing_of(world.production) is None
    assert services.start_promotion(promotion_id=nxt.id)


def test_ticks_that_repeat_themselves_change_nothing(world: World, clock: ManualClock) -> None:
    rollout = _step(world.roll_out(), clock)
    events = AuditEvent.objects.count()
    measurements = Measurement.objects.count()
    for _ in range(3):
        controller.tick()
    assert AuditEvent.objects.count() == events
    assert Measurement.objects.count() - measurements <= 5
    assert rollout.decisions.count() == 3


def test_a_paused_rollout_holds_but_still_goes_down(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    operator, project = world.cast.actor("operator"), world.cast.project.id
    services.pause_rollout(actor=operator, project_id=project, rollout_id=rollout.id, reason="Lunch.")
    assert _step(rollout, clock).weight_bp == 200
    for _ in range(3):
        record(rollout, "candidate", 60, policy_hits=60)
        clock.advance(minutes=1)
    controller.tick()
    rollout.refresh_from_db()
    assert rollout.state == "rolling_back"


def test_nobody_skips_the_canary(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    owner, project = world.cast.actor("owner"), world.cast.project.id
    with pytest.raises(Conflict) as refused:
        services.advance_rollout(
            actor=owner, project_id=project, rollout_id=rollout.id, expected_step=1, reason="In a hurry."
        )
    assert refused.value.code == "canary_not_met"
    _step(rollout, clock)
    services.advance_rollout(
        actor=owner, project_id=project, rollout_id=rollout.id, expected_step=2, reason="Quiet day."
    )
    rollout.refresh_from_db()
    assert rollout.weight_bp == 5_000


def test_a_hurried_step_that_moved_meanwhile_is_refused(world: World, clock: ManualClock) -> None:
    rollout = _step(world.roll_out(), clock)
    with pytest.raises(Conflict) as refused:
        services.advance_rollout(
            actor=world.cast.actor("owner"), project_id=world.cast.project.id, rollout_id=rollout.id, expected_step=0,
            reason="x",
        )  # fmt: skip
    assert refused.value.code == "step_moved"


def test_rolling_back_by_hand_asks_for_a_reason(world: World) -> None:
    rollout = world.roll_out()
    with pytest.raises(InvalidInput):
        services.roll_back(
            actor=world.cast.actor("operator"),
            project_id=world.cast.project.id,
            rollout_id=rollout.id,
            reason=" ",
        )
    rollout.refresh_from_db()
    assert rollout.state == "running"


def test_what_was_live_before_is_returned_to_at_once(world: World, clock: ManualClock) -> None:
    first = world.production.stable_release
    assert first is not None
    rollout = world.roll_out()
    for _ in range(4):
        rollout = _step(rollout, clock)
    assert world.production.stable_release == rollout.candidate
    services.return_to_release(
        actor=world.cast.actor("operator"), project_id=world.cast.project.id, deployment_id=world.production.id,
        release_id=first.id, reason="The new one is worse.",
    )  # fmt: skip
    assert world.production.stable_release == first


def test_a_release_that_never_was_live_is_not_returned_to(world: World) -> None:
    release = world.compose()
    with pytest.raises(Conflict) as refused:
        services.return_to_release(
            actor=world.cast.actor("owner"), project_id=world.cast.project.id, deployment_id=world.production.id,
            release_id=release.id, reason="Skip it.",
        )  # fmt: skip
    assert refused.value.code == "never_live"
