"""Shadow steps: the candidate answers copies of calls, and what that allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.decide import Advance, Cut, Hold, RolloutView, StopMirroring, decide
from releases.plans import Plan, Step
from releases.routing import Arm
from releases.rules import ConditionResult, Evaluation, RuleAction, RuleSpec, Severity, Verdict
from releases.states import RolloutState

START = datetime(2030, 1, 1, tzinfo=UTC)
BUDGET = 5_000_000_000
PLAN = Plan(
    (
        Step.shadow(3_600, 100, max_cost_nanos=BUDGET),
        Step.shadow(1_800, 200),
        Step(200, 900, 50),
        Step(10_000, 60, 10),
    )
)
RULES = (
    RuleSpec("errors", "error_rate > 1%", Severity.P1, RuleAction.STEP, 10),
    RuleSpec("leaks", "policy_filter_rate > 1%", Severity.P1, RuleAction.CUT, 10),
    RuleSpec("slow", "p95_latency_ms > 1s", Severity.P3, RuleAction.HOLD, 10),
)
SHADOWS = (0, 1)


def found(verdict: Verdict) -> Evaluation:
    return Evaluation(
        verdict, (ConditionResult("error_rate > 1%", "error_rate", 300, verdict, f"Errors: {verdict}."),)
    )


ALL_PASS = {rule.id: found(Verdict.PASS) for rule in RULES}


def view(step_index: int = 0, **changes: Any) -> RolloutView:
    rollout = RolloutView(
        state=RolloutState.RUNNING,
        plan=PLAN,
        step_index=step_index,
        weight_bp=0,
        step_entered_at=START,
        samples={Arm.SHADOW: 1_000, Arm.STABLE: 1_000},
        rules=RULES,
        mirrored_bp=10_000,
    )
    return replace(rollout, **changes)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


any_evaluations = st.fixed_dictionaries(
    {}, optional={rule.id: st.sampled_from(Verdict).map(found) for rule in RULES}
)


def test_from_shadow_it_goes_to_the_next_step_of_the_plan() -> None:
    assert decide(view(0), ALL_PASS, after(3_600)) == Advance(
        0, ("Time, samples and all rules passed in shadow.",), step_index=1
    )
    decision = decide(view(1), ALL_PASS, after(3_600))
    assert isinstance(decision, Advance)
    assert (decision.step_index, decision.weight_bp) == (2, 200)


def test_what_it_waits_for_is_said_in_words() -> None:
    decision = decide(view(0, samples={Arm.SHADOW: 58}), ALL_PASS, after(600))
    assert decision == Hold(
        weight_bp=0,
        reasons=("50\u00a0min to go of 1\u00a0h in shadow.", "42 samples to go of 100 in shadow."),
        seconds_to_go=3_000,
        samples_to_go=42,
    )


@given(
    st.sampled_from(SHADOWS),
    any_evaluations,
    st.integers(0, 10_000),
    st.integers(0, 500),
    st.integers(0, 500),
    st.sampled_from([0, 2_500, 10_000]),
    st.sampled_from([0, BUDGET - 1, BUDGET, 3 * BUDGET]),
    st.sampled_from([RolloutState.RUNNING, RolloutState.PAUSED]),
)
def test_nothing_leaves_shadow_without_time_copies_and_a_pass_of_every_rule(
    step_index: int,
    evaluations: dict[str, Evaluation],
    seconds: int,
    copies: int,
    calls: int,
    mirrored_bp: int,
    spent: int,
    state: RolloutState,
) -> None:
    rollout = view(
        step_index,
        state=state,
        samples={Arm.SHADOW: copies, Arm.STABLE: calls, Arm.CANDIDATE: calls},
        mirrored_bp=mirrored_bp,
        spent_nanos=spent,
    )
    decision = decide(rollout, evaluations, after(seconds))
    ready = (
        state is RolloutState.RUNNING
        and seconds >= rollout.step.min_duration_s
        and copies >= rollout.step.min_samples
        and all(rule.id in evaluations and evaluations[rule.id].verdict is Verdict.PASS for rule in RULES)
    )
    assert isinstance(decision, Advance) == ready
    # The weight is nothing as long as it is in shadow, whatever is decided.
    next_weight = PLAN.steps[step_index + 1].weight_bp if ready else 0
    assert decision.weight_bp == next_weight
    breached = {
        name
        for name in ("errors", "leaks")
        if name in evaluations and evaluations[name].verdict is Verdict.FAIL
    }
    assert isinstance(decision, Cut) == bool(breached)
    over = rollout.step.max_cost_nanos is not None and spent >= rollout.step.max_cost_nanos
    assert isinstance(decision, StopMirroring) == (over and mirrored_bp > 0 and not ready and not breached)


@pytest.mark.parametrize("rule", ["errors", "leaks"])
def test_a_breach_ends_it_at_once_since_nothing_is_at_risk(rule: str) -> None:
    decision = decide(view(0), ALL_PASS | {rule: found(Verdict.FAIL)}, after(1))
    assert decision == Cut(
        reasons=(f"{rule}: Errors: fail.", "None of the candidate's answers was shown: it ran in shadow."),
        rule_ids=(rule,),
    )


def test_a_breached_hold_rule_keeps_it_in_shadow() -> None:
    assert isinstance(decide(view(0), ALL_PASS | {"slow": found(Verdict.FAIL)}, after(9_999)), Hold)


def test_calls_that_users_got_answered_are_no_samples_of_the_shadow() -> None:
    rollout = view(0, samples={Arm.STABLE: 9_999, Arm.CANDIDATE: 9_999})
    assert isinstance(decide(rollout, ALL_PASS, after(9_999)), Hold)


def test_a_spent_budget_ends_the_copies_once_and_then_says_what_to_do() -> None:
    spent = view(0, samples={Arm.SHADOW: 58, Arm.STABLE: 58}, spent_nanos=BUDGET)
    decision = decide(spent, ALL_PASS, after(9_999))
    assert isinstance(decision, StopMirroring)
    assert decision.reasons[0] == "The budget of $5 for copies of calls is spent; no more are made."
    held = decide(replace(spent, mirrored_bp=0), ALL_PASS, after(9_999))
    assert isinstance(held, Hold)
    assert held.reasons[0].endswith("What was seen has to do; roll it back if it does not.")


def test_a_budget_that_is_spent_when_all_is_seen_stops_nothing() -> None:
    assert isinstance(decide(view(0, spent_nanos=2 * BUDGET), ALL_PASS, after(3_600)), Advance)
