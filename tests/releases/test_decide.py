from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.decide import (
    Advance,
    Complete,
    Cut,
    Decision,
    FinishRollback,
    Hold,
    Rollback,
    RolloutView,
    StartRollback,
    StepDown,
    decide,
)
from releases.plans import Plan, Step, rollback_weights
from releases.routing import Arm
from releases.rules import ConditionResult, Evaluation, RuleAction, RuleSpec, Severity, Verdict
from releases.states import RolloutState

START = datetime(2030, 1, 1, tzinfo=UTC)
PLAN = Plan((Step(200, 3_600, 100), Step(1_000, 1_800, 200), Step(5_000, 900, 300), Step(10_000, 600, 400)))
ENOUGH = {Arm.CANDIDATE: 10_000, Arm.STABLE: 10_000}


def spec(identifier: str, action: RuleAction) -> RuleSpec:
    return RuleSpec(identifier, "error_rate > 1%", Severity.P1, action, 10)


RULES = (spec("errors", RuleAction.STEP), spec("leaks", RuleAction.CUT), spec("slow", RuleAction.HOLD))


def found(verdict: Verdict) -> Evaluation:
    return Evaluation(
        verdict, (ConditionResult("error_rate > 1%", "error_rate", 300, verdict, f"Errors: {verdict}."),)
    )


def verdicts(
    errors: Verdict = Verdict.PASS, leaks: Verdict = Verdict.PASS, slow: Verdict = Verdict.PASS
) -> dict[str, Evaluation]:
    return {"errors": found(errors), "leaks": found(leaks), "slow": found(slow)}


def view(step_index: int = 0, state: RolloutState = RolloutState.RUNNING, **changes: object) -> RolloutView:
    rollout = RolloutView(
        state=state,
        plan=PLAN,
        step_index=step_index,
        weight_bp=PLAN.steps[step_index].weight_bp,
        step_entered_at=START,
        samples=ENOUGH,
        rules=RULES,
        rollback=Rollback(PLAN.steps[step_index].weight_bp, START),
    )
    return replace(rollout, **changes)  # type: ignore[arg-type]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


any_verdict = st.sampled_from(Verdict)
# A missing evaluation is as likely as any verdict.
any_evaluations = st.fixed_dictionaries({}, optional={rule.id: any_verdict.map(found) for rule in RULES})
any_seconds = st.integers(0, 10_000)
any_step = st.integers(0, len(PLAN.steps) - 1)


def target(rollout: RolloutView, decision: Decision) -> int:
    """The weight after the decision, checked against the law for weights."""
    ceiling = PLAN.steps[decision.step_index] if isinstance(decision, Advance) else rollout.step
    assert 0 <= decision.weight_bp <= ceiling.weight_bp
    return decision.weight_bp


# Going up


def test_a_step_that_has_its_time_its_samples_and_all_rules_advances_to_the_next() -> None:
    decision = decide(view(0), verdicts(), after(3_600))
    assert isinstance(decision, Advance)
    assert (decision.step_index, decision.weight_bp) == (1, 1_000)


def test_the_last_step_completes() -> None:
    decision = decide(view(3), verdicts(), after(600))
    assert isinstance(decision, Complete)
    assert decision.weight_bp == 10_000


def test_a_rollout_that_waits_says_for_how_long_and_for_how_many_samples() -> None:
    waiting = view(0, samples={Arm.CANDIDATE: 58, Arm.STABLE: 9_000})
    decision = decide(waiting, verdicts(slow=Verdict.INCONCLUSIVE), after(600))
    assert decision == Hold(
        weight_bp=200,
        reasons=(
            "50\u00a0min to go of 1\u00a0h at 2\u00a0%.",
            "42 samples to go of 100 at 2\u00a0%.",
            "slow: Errors: inconclusive.",
        ),
        seconds_to_go=3_000,
        samples_to_go=42,
        rule_ids=("slow",),
    )


@pytest.mark.parametrize("seconds", [0, 3_599, 3_599.5, -60])
def test_nothing_goes_up_before_its_time(seconds: float) -> None:
    decision = decide(view(0), verdicts(), after(seconds))
    assert isinstance(decision, Hold)
    assert decision.seconds_to_go >= 1


def test_samples_of_the_stable_arm_do_not_count_for_the_candidate() -> None:
    assert isinstance(decide(view(0, samples={Arm.STABLE: 9_999}), verdicts(), after(9_999)), Hold)


def test_a_rule_that_was_not_evaluated_holds() -> None:
    decision = decide(view(0), {"errors": found(Verdict.PASS)}, after(9_999))
    assert isinstance(decision, Hold)
    assert decision.reasons == ("leaks: not evaluated yet.", "slow: not evaluated yet.")


def test_an_evaluation_without_words_still_holds() -> None:
    silent = verdicts() | {"slow": Evaluation(Verdict.NO_DATA, ())}
    assert isinstance(decide(view(0), silent, after(9_999)), Hold)


@given(any_step, any_evaluations, any_seconds, st.integers(0, 500))
def test_nothing_goes_up_without_time_samples_and_a_pass_of_every_rule(
    step_index: int, evaluations: dict[str, Evaluation], seconds: int, samples: int
) -> None:
    rollout = view(step_index, samples={Arm.CANDIDATE: samples})
    decision = decide(rollout, evaluations, after(seconds))
    ready = (
        seconds >= rollout.step.min_duration_s
        and samples >= rollout.step.min_samples
        and all(rule.id in evaluations and evaluations[rule.id].verdict is Verdict.PASS for rule in RULES)
    )
    assert isinstance(decision, Advance | Complete) == ready
    assert (target(rollout, decision) > rollout.weight_bp) == isinstance(decision, Advance)


@given(any_step, any_evaluations, any_seconds)
def test_a_paused_rollout_never_goes_up(
    step_index: int, evaluations: dict[str, Evaluation], seconds: int
) -> None:
    rollout = view(step_index, RolloutState.PAUSED)
    decision = decide(rollout, evaluations, after(seconds))
    assert not isinstance(decision, Advance | Complete)
    assert target(rollout, decision) <= rollout.weight_bp


def test_a_paused_rollout_says_so() -> None:
    decision = decide(view(0, RolloutState.PAUSED), verdicts(), after(9_999))
    assert decision.reasons == ("The rollout is paused.",)


# Going down


@given(
    any_step,
    any_evaluations,
    any_seconds,
    st.integers(0, 500),
    st.sampled_from([RolloutState.RUNNING, RolloutState.PAUSED]),
)
def test_a_breached_step_or_cut_rule_takes_the_rollout_down_at_any_time(
    step_index: int, evaluations: dict[str, Evaluation], seconds: int, samples: int, state: RolloutState
) -> None:
    def failed(name: str) -> bool:
        return name in evaluations and evaluations[name].verdict is Verdict.FAIL

    rollout = view(step_index, state, samples={Arm.CANDIDATE: samples})
    decision = decide(rollout, evaluations, after(seconds))
    assert isinstance(decision, Cut) == failed("leaks")
    assert isinstance(decision, StartRollback) == (failed("errors") and not failed("leaks"))
    if isinstance(decision, Cut | StartRollback):
        assert target(rollout, decision) < rollout.weight_bp
        assert set(decision.rule_ids) == {name for name in ("errors", "leaks") if failed(name)}


def test_a_rollback_begins_with_three_quarters_and_says_why() -> None:
    decision = decide(view(1), verdicts(errors=Verdict.FAIL), after(1))
    assert decision == StartRollback(
        weight_bp=750, reasons=("errors: Errors: fail.",), position=0, rule_ids=("errors",)
    )


def test_a_breached_hold_rule_only_holds() -> None:
    decision = decide(view(0), verdicts(slow=Verdict.FAIL), after(9_999))
    assert isinstance(decision, Hold)
    assert decision.rule_ids == ("slow",)


@pytest.mark.parametrize("verdict", [Verdict.NO_DATA, Verdict.INCONCLUSIVE, Verdict.ERROR])
def test_missing_data_neither_advances_nor_rolls_back(verdict: Verdict) -> None:
    assert isinstance(decide(view(0), verdicts(errors=verdict, leaks=verdict), after(9_999)), Hold)


def rolling_back(weight_bp: int, from_weight_bp: int = 1_000, moved_after: float = 0) -> RolloutView:
    return view(
        1,
        RolloutState.ROLLING_BACK,
        weight_bp=weight_bp,
        rollback=Rollback(from_weight_bp, after(moved_after)),
    )


def test_a_move_down_waits_for_the_interval_and_says_how_long() -> None:
    decision = decide(rolling_back(750), verdicts(), after(299))
    assert decision == Hold(750, ("Down to 5\u00a0% in 1\u00a0s.",), seconds_to_go=1)
    assert decide(rolling_back(750), verdicts(), after(300)) == StepDown(
        500, ("5\u00a0min since the last move down.",), position=1
    )


def test_a_rollback_that_reached_zero_is_finished() -> None:
    assert isinstance(decide(rolling_back(0), {}, after(0)), FinishRollback)


def test_a_cut_rule_ends_a_rollback_at_once() -> None:
    decision = decide(rolling_back(750), verdicts(leaks=Verdict.FAIL), after(1))
    assert isinstance(decision, Cut)
    assert decision.weight_bp == 0


def test_a_tiny_weight_goes_to_zero_in_one_move() -> None:
    assert decide(rolling_back(1, from_weight_bp=1), {}, after(300)) == StepDown(
        0, ("5\u00a0min since the last move down.",), position=3
    )


@given(
    st.integers(0, 1_000),
    st.lists(st.tuples(st.integers(1, 4_000), any_evaluations), min_size=1, max_size=40),
)
def test_on_the_way_down_the_weight_only_falls_one_stop_at_a_time_whatever_the_rules_say(
    from_weight_bp: int, ticks: list[tuple[int, dict[str, Evaluation]]]
) -> None:
    stops = rollback_weights(from_weight_bp)
    rollout = rolling_back(stops[0], from_weight_bp)
    moved_at = now = START
    for seconds, evaluations in ticks:
        now += timedelta(seconds=seconds)
        decision = decide(rollout, evaluations, now)
        assert isinstance(decision, Hold | StepDown | Cut | FinishRollback)
        if isinstance(decision, Cut | FinishRollback):
            assert decision.weight_bp == 0
            return
        assert decision.weight_bp <= rollout.weight_bp
        if isinstance(decision, StepDown):
            assert now - moved_at >= timedelta(seconds=300)
            # One stop, also after an outage of many intervals.
            assert [w for w in stops if decision.weight_bp < w < rollout.weight_bp] == []
            assert decision.weight_bp == stops[decision.position] < rollout.weight_bp
            moved_at = now
            rollout = replace(
                rollout, weight_bp=decision.weight_bp, rollback=Rollback(from_weight_bp, moved_at)
            )
        else:
            # Silence does not stop it: it waits for the interval and for nothing else.
            assert now - moved_at < timedelta(seconds=300)


def test_a_rollback_without_any_data_reaches_zero_in_four_moves() -> None:
    rollout, now, weights = rolling_back(750), START, [750]
    for _ in range(10):
        now += timedelta(seconds=300)
        decision = decide(rollout, {}, now)
        if isinstance(decision, FinishRollback):
            break
        weights.append(decision.weight_bp)
        rollout = replace(rollout, weight_bp=decision.weight_bp, rollback=Rollback(1_000, now))
    assert weights == [750, 500, 250, 0]


# At rest, and views that cannot be


@pytest.mark.parametrize(
    "state", [RolloutState.PENDING, RolloutState.COMPLETED, RolloutState.ROLLED_BACK, RolloutState.ABORTED]
)
@given(evaluations=any_evaluations)
def test_a_rollout_that_is_not_under_way_stays_as_it_is(
    state: RolloutState, evaluations: dict[str, Evaluation]
) -> None:
    rollout = view(0, state)
    decision = decide(rollout, evaluations, after(9_999))
    assert isinstance(decision, Hold)
    assert decision.weight_bp == rollout.weight_bp


def test_asking_twice_gives_the_same_answer() -> None:
    rollout, evaluations = view(0), verdicts(errors=Verdict.FAIL)
    assert decide(rollout, evaluations, after(1)) == decide(rollout, evaluations, after(1))


def test_views_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="no step 4"):
        replace(view(0), step_index=4)
    with pytest.raises(ValueError, match="weight 201"):
        view(0, weight_bp=201)
    with pytest.raises(ValueError, match="where it started"):
        view(0, RolloutState.ROLLING_BACK, rollback=None)
