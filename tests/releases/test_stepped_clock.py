"""Rollouts while somebody sets the clock: back, forwards, and again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptstore.core import clock as clocks
from promptstore.core.clock import JumpWatch, ManualClock, SystemClock
from releases import controller
from releases.decide import (
    Advance,
    Complete,
    FinishRollback,
    Hold,
    Rollback,
    RolloutView,
    StartRollback,
    StepDown,
    decide,
)
from releases.plans import Plan, Step
from releases.routing import Arm
from releases.rules import ConditionResult, Evaluation, RuleAction, RuleSpec, Severity, Verdict
from releases.services import roll_back
from releases.states import RolloutState
from tests.traffic import record
from tests.world import World

START = datetime(2030, 1, 1, tzinfo=UTC)
PLAN = Plan((Step(200, 600, 10), Step(1_000, 300, 10), Step(10_000, 60, 10)))
RULE = RuleSpec("errors", "error_rate > 1%", Severity.P1, RuleAction.STEP, 10)
INTERVAL_S = 300


def found(verdict: Verdict) -> dict[str, Evaluation]:
    condition = ConditionResult("error_rate > 1%", "error_rate", 300, verdict, "As measured.")
    return {"errors": Evaluation(verdict, (condition,))}


@dataclass
class Machine:
    """Time that passes, and a clock on the wall that people set."""

    passed_s: float = 0.0
    set_by: timedelta = timedelta(0)

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.passed_s) + self.set_by

    def steady_s(self) -> float:
        return self.passed_s


# Between two ticks: how many seconds pass, and by how many the clock is set. Jumps below a second are no jumps.
hands = st.one_of(st.just(0), st.integers(-7_200, -2), st.integers(2, 7_200))
ticks = st.lists(st.tuples(st.integers(1, 400), hands), min_size=1, max_size=60)


def ticking(machine: Machine) -> clocks.Clock:
    return SystemClock(wall=machine.wall, steady_s=machine.steady_s)


@given(ticks)
def test_time_never_steps_back_and_loses_at_most_half(ticks: list[tuple[int, int]]) -> None:
    machine = Machine()
    system = ticking(machine)
    before = system.now()
    for seconds, moved in ticks:
        machine.passed_s += seconds
        machine.set_by += timedelta(seconds=moved)
        now = system.now()
        assert now - before >= timedelta(seconds=seconds) / 2
        assert now >= machine.wall()
        before = now


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ticks)
def test_no_step_is_shorter_than_its_time_whatever_is_done_to_the_clock(ticks: list[tuple[int, int]]) -> None:
    machine, watch = Machine(), JumpWatch()
    with clocks.use(ticking(machine)):
        rollout = RolloutView(
            state=RolloutState.RUNNING, plan=PLAN, step_index=0, weight_bp=200, step_entered_at=clocks.now(),
            samples={Arm.CANDIDATE: 1_000, Arm.STABLE: 1_000}, rules=(RULE,), rollback_interval_s=INTERVAL_S,
        )  # fmt: skip
        entered_s = machine.passed_s
        with watch.look():
            pass
        for seconds, moved in ticks:
            machine.passed_s += seconds
            machine.set_by += timedelta(seconds=moved)
            with watch.look() as jumped_at:
                if jumped_at is not None and rollout.step_entered_at < jumped_at:
                    rollout = replace(rollout, step_entered_at=clocks.now())
            decision = decide(rollout, found(Verdict.PASS), clocks.now())
            if isinstance(decision, Hold):
                continue
            assert machine.passed_s - entered_s >= rollout.step.min_duration_s - 1
            if isinstance(decision, Complete):
                return
            assert isinstance(decision, Advance)
            assert decision.step_index == rollout.step_index + 1, "one step at a time"
            entered_s = machine.passed_s
            rollout = replace(
                rollout,
                step_index=decision.step_index,
                weight_bp=decision.weight_bp,
                step_entered_at=clocks.now(),
            )


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(-100_000, 100_000), st.sampled_from(Verdict)),
        min_size=200, max_size=200,
    )
)  # fmt: skip
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_a_view_from_any_clock_goes_down_alone_once_it_goes_down(
    ticks: list[tuple[int, int, Verdict]],
) -> None:
    # Each tick comes from another machine, whose clock is wrong in its own way.
    rollout = RolloutView(
        state=RolloutState.ROLLING_BACK, plan=PLAN, step_index=2, weight_bp=7_500, step_entered_at=START,
        samples={}, rules=(RULE,), rollback=Rollback(10_000, START), rollback_interval_s=INTERVAL_S,
    )  # fmt: skip
    now = START
    for seconds, wrong, verdict in ticks:
        now += timedelta(seconds=seconds)
        read = now + timedelta(seconds=wrong)
        decision = decide(rollout, found(verdict), read)
        assert decision.weight_bp <= rollout.weight_bp
        if isinstance(decision, FinishRollback):
            return
        if isinstance(decision, Hold):
            assert 0 < decision.seconds_to_go <= 2 * INTERVAL_S
            continue
        assert isinstance(decision, StepDown | StartRollback)
        rollout = replace(rollout, weight_bp=decision.weight_bp, rollback=Rollback(10_000, read))


def test_the_way_down_does_not_wait_for_a_stamp_from_the_future() -> None:
    rollout = RolloutView(
        state=RolloutState.ROLLING_BACK, plan=PLAN, step_index=1, weight_bp=750, step_entered_at=START,
        samples={}, rules=(), rollback=Rollback(1_000, START + timedelta(hours=1)),
        rollback_interval_s=INTERVAL_S,
    )  # fmt: skip
    assert isinstance(decide(rollout, {}, START), StepDown)
    ahead = replace(rollout, rollback=Rollback(1_000, START + timedelta(seconds=5)))
    assert isinstance(decide(ahead, {}, START), Hold), "machines differ by seconds"


def test_the_watch_tells_a_jump_from_time_that_passed(clock: ManualClock) -> None:
    watch = JumpWatch()
    for move, jumped in (
        (clock.advance, False),
        (clock.jump, True),
        (clock.advance, False),
        (lambda **delta: clock.jump(hours=-delta["hours"]), False),
    ):
        with watch.look():
            pass
        move(hours=1)
        with watch.look() as found_at:
            assert (found_at is not None) == jumped
    clock.jump(hours=1)
    with pytest.raises(LookupError), watch.look() as found_at:
        raise LookupError
    with watch.look() as again:
        assert again == found_at == clock.now(), "who failed is told once more"


def flow(world: World, clock: ManualClock, *, minutes: int) -> None:
    """Healthy traffic of both arms, and a tick after each minute."""
    [rollout] = type(world.production).objects.get(pk=world.production.pk).rollouts.all()
    for _ in range(minutes):
        record(rollout, "candidate", 10)
        record(rollout, "stable", 10)
        clock.advance(minutes=1)
        controller.tick()


def test_an_hour_that_never_passed_does_not_move_a_rollout_up(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    flow(world, clock, minutes=3)
    clock.jump(hours=1)
    controller.tick()
    flow(world, clock, minutes=3)  # rules pass on fresh minutes, and there are samples enough
    rollout.refresh_from_db()
    assert rollout.weight_bp == 200, "three and three minutes; the step takes five from the jump on"
    flow(world, clock, minutes=2)
    rollout.refresh_from_db()
    assert (rollout.weight_bp, rollout.step_index) == (1_000, 2)


def test_minutes_that_come_twice_only_delay(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    flow(world, clock, minutes=3)
    clock.jump(minutes=-10)
    flow(world, clock, minutes=11)
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("running", 200)
    flow(world, clock, minutes=2)
    rollout.refresh_from_db()
    assert rollout.weight_bp == 1_000


def test_a_rollback_goes_on_when_an_hour_comes_twice(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    roll_back(
        actor=world.cast.actor("operator"),
        project_id=world.cast.project.id,
        rollout_id=rollout.id,
        reason="A person saw something.",
    )
    clock.jump(hours=-1)
    weights = []
    for _ in range(20):
        controller.tick()
        rollout.refresh_from_db()
        weights.append(rollout.weight_bp)
        clock.advance(minutes=1)
    assert weights == sorted(weights, reverse=True)
    assert rollout.state == "rolled_back"
