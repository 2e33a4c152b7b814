from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core.errors import InvalidInput
from releases.plans import (
    SHADOW_EXAMPLE,
    EnvironmentKind,
    Plan,
    Step,
    require_shadow,
    rollback_weights,
    validate_plan,
    validate_rules,
)
from releases.routing import Arm
from releases.rules import RuleSpec, read_rules

STAGING, PRODUCTION = EnvironmentKind

STANDARD = {
    "steps": [
        {"weight_bp": weight, "min_duration_s": 86_400, "min_samples": 500}
        for weight in (200, 1_000, 5_000, 10_000)
    ]
}


def plan(*weights: int, min_duration_s: int = 60, min_samples: int = 10) -> Plan:
    return Plan(tuple(Step(weight, min_duration_s, min_samples) for weight in weights))


def rules(*texts: str) -> tuple[RuleSpec, ...]:
    return read_rules(
        [
            {"id": f"r{i}", "when": text, "severity": "P2", "action": "step", "min_samples": 50}
            for i, text in enumerate(texts)
        ]
    )


SHADOW = {"kind": "shadow", "min_duration_s": 3_600, "min_samples": 100}
A_SHADOW = Step.shadow(60, 10)


def test_a_plan_from_before_shadow_steps_keeps_its_text_and_its_meaning() -> None:
    stored = Plan.from_dict(STANDARD)
    assert stored.to_dict() == STANDARD
    assert (stored.has_shadow, stored.canary_index, stored.pairs_bp) == (False, 0, 0)
    validate_plan(stored, PRODUCTION)
    with pytest.raises(InvalidInput) as caught:
        require_shadow(stored, PRODUCTION)
    assert (caught.value.code, caught.value.field) == ("no_shadow", "steps[0].kind")
    require_shadow(stored, STAGING)


def test_the_example_that_a_refusal_gives_mends_the_plan() -> None:
    mended = Plan.from_dict({"steps": [json.loads(SHADOW_EXAMPLE), *STANDARD["steps"]]})
    validate_plan(mended, PRODUCTION)
    require_shadow(mended, PRODUCTION)


def test_a_shadow_step_is_of_all_calls_without_a_budget_unless_it_says_otherwise() -> None:
    step = Step.from_dict(SHADOW)
    assert step == Step.shadow(3_600, 100)
    assert (step.weight_bp, step.share_bp, step.max_cost_nanos, step.pairs_bp) == (0, 10_000, None, 500)
    assert (step.judged_arm, Step(200, 1, 1).judged_arm) == (Arm.SHADOW, Arm.CANDIDATE)


@given(
    st.integers(0, 9_000), st.integers(0, 9_000), st.integers(1, 10_000), st.none() | st.integers(1, 10**15),
    st.integers(0, 10_000),
)  # fmt: skip
def test_a_shadow_step_is_read_back_as_it_was_written(
    duration: int, samples: int, share: int, cost: int | None, pairs: int
) -> None:
    step = Step.shadow(duration, samples, share_bp=share, max_cost_nanos=cost, pairs_bp=pairs)
    assert Step.from_dict(step.to_dict()) == step


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "dark"}, "kind"),
        ({"weight_bp": 1}, "weight_bp"),
        ({"share_bp": 0}, "share_bp"),
        ({"share_bp": 10_001}, "share_bp"),
        ({"max_cost_nanos": 0}, "max_cost_nanos"),
        ({"max_cost_nanos": None}, "max_cost_nanos"),
        ({"pairs_bp": -1}, "pairs_bp"),
        ({"pairs": 5}, "pairs"),
    ],
)
def test_a_bad_shadow_step_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Step.from_dict(SHADOW | changes)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["share_bp", "max_cost_nanos", "pairs_bp"])
def test_what_belongs_to_shadow_is_refused_in_a_canary(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Step.from_dict({"weight_bp": 200, "min_duration_s": 1, "min_samples": 1, name: 1})
    assert caught.value.field == name


@pytest.mark.parametrize("kind", EnvironmentKind)
def test_shadow_steps_come_before_all_others(kind: EnvironmentKind) -> None:
    steps = plan(200, 1_000, 5_000, 10_000).steps
    fit = Plan((A_SHADOW, A_SHADOW, *steps))
    validate_plan(fit, kind)
    require_shadow(fit, kind)
    assert fit.canary_index == 2
    with pytest.raises(InvalidInput) as caught:
        validate_plan(Plan((A_SHADOW, steps[0], A_SHADOW, *steps[1:])), kind)
    assert caught.value.field == "steps[2].kind"
    with pytest.raises(InvalidInput) as caught:
        validate_plan(Plan((A_SHADOW,)), kind)
    assert caught.value.field == "steps[0].weight_bp"


@pytest.mark.parametrize(
    ("weights", "field"),
    [((10_000,), "steps[1].weight_bp"), ((600, 1_000, 5_000, 10_000), "steps[1].weight_bp")],
)
def test_after_the_shadow_production_begins_with_a_canary(weights: tuple[int, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_plan(Plan((A_SHADOW, *plan(*weights).steps)), PRODUCTION)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("step", "field"),
    [(Step.shadow(0, 10), "steps[0].min_duration_s"), (Step.shadow(60, 0), "steps[0].min_samples")],
)
def test_a_shadow_step_in_production_has_a_time_and_samples_of_its_own(step: Step, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_plan(Plan((step, *plan(200, 1_000, 5_000, 10_000).steps)), PRODUCTION)
    assert caught.value.field == field


def test_the_standard_plan_is_read_written_back_and_fit_for_production() -> None:
    standard = Plan.from_dict(STANDARD)
    assert standard.to_dict() == STANDARD
    validate_plan(standard, PRODUCTION)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"steps": []}, "plan.steps"),
        ({"steps": "x"}, "plan.steps"),
        ({}, "plan.steps"),
        ([], "plan"),
        ({"steps": [7]}, "plan.steps[0]"),
        ({"steps": [{"weight_bp": 1, "min_duration_s": 1}]}, "plan.steps[0].min_samples"),
        ({"steps": [{"weight_bp": 0, "min_duration_s": 1, "min_samples": 1}]}, "plan.steps[0].weight_bp"),
        (
            {"steps": [{"weight_bp": 10_001, "min_duration_s": 1, "min_samples": 1}]},
            "plan.steps[0].weight_bp",
        ),
        (
            {"steps": [{"weight_bp": 1, "min_duration_s": -1, "min_samples": 1}]},
            "plan.steps[0].min_duration_s",
        ),
        ({"steps": [{"weight_bp": 1, "min_duration_s": 1, "min_samples": "9"}]}, "plan.steps[0].min_samples"),
        ({"steps": [], "name": "x"}, "plan.name"),
    ],
)
def test_a_bad_plan_names_the_field(data: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Plan.from_dict(data, field="plan")
    assert caught.value.field == field


@pytest.mark.parametrize("kind", EnvironmentKind)
@pytest.mark.parametrize(
    ("weights", "field"),
    [
        ((200, 200, 10_000), "steps[1].weight_bp"),
        ((200, 5_000, 1_000, 10_000), "steps[2].weight_bp"),
        ((200, 1_000, 5_000), "steps[2].weight_bp"),
        ((), "steps"),
    ],
)
def test_every_plan_climbs_to_all_traffic(
    kind: EnvironmentKind, weights: tuple[int, ...], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_plan(plan(*weights), kind)
    assert caught.value.field == field


def test_staging_may_take_a_release_whole_without_waiting() -> None:
    validate_plan(plan(10_000, min_duration_s=0, min_samples=0), STAGING)


@pytest.mark.parametrize(
    ("weights", "field"),
    [
        ((10_000,), "steps[0].weight_bp"),
        ((99, 1_000, 5_000, 10_000), "steps[0].weight_bp"),
        ((501, 1_000, 5_000, 10_000), "steps[0].weight_bp"),
        ((200, 10_000), "steps"),
        ((200, 1_000, 10_000), "steps"),
        ((200, 5_000, 10_000), "steps"),
    ],
)
def test_production_climbs_through_canary_quarter_and_half(weights: tuple[int, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_plan(plan(*weights), PRODUCTION)
    assert caught.value.field == field


def test_production_is_recognised_by_its_plain_name_too() -> None:
    with pytest.raises(InvalidInput):
        validate_plan(plan(10_000), "production")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "field"),
    [(Step(1_000, 0, 10), "steps[1].min_duration_s"), (Step(1_000, 60, 0), "steps[1].min_samples")],
)
def test_each_step_in_production_has_a_time_and_samples_of_its_own(step: Step, field: str) -> None:
    steps = plan(200, 1_000, 5_000, 10_000).steps
    with pytest.raises(InvalidInput) as caught:
        validate_plan(Plan((steps[0], step, *steps[2:])), PRODUCTION)
    assert caught.value.field == field


COMPLETE = (
    "p95_latency_ms worse than baseline by 20%",
    "cost_per_1k_requests_usd > 2usd",
    "policy_filter_rate > 0.5%",
    "domain_accuracy < 95%",
)


def test_production_rules_that_measure_everything_are_accepted() -> None:
    validate_rules(rules(*COMPLETE))
    validate_rules(rules(" or ".join(COMPLETE)))


@pytest.mark.parametrize(
    ("left_out", "missing"), [(0, "latency"), (1, "cost"), (2, "policy"), (3, "correctness")]
)
def test_production_rules_that_leave_something_out_are_refused_by_name(left_out: int, missing: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_rules(rules(*COMPLETE[:left_out], *COMPLETE[left_out + 1 :]))
    assert (caught.value.code, caught.value.field) == ("not_measured", "rules")
    assert caught.value.extra == {"missing": [missing]}


def test_a_metric_that_nothing_measures_does_not_count() -> None:
    with pytest.raises(InvalidInput, match="a correctness metric"):
        validate_rules(rules(*COMPLETE[:3], "hallucination_score > 10%"))


def test_no_rules_at_all_miss_all_four() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_rules(())
    assert caught.value.extra == {"missing": ["latency", "cost", "policy", "correctness"]}


def test_a_rollback_goes_down_in_four_steps() -> None:
    assert rollback_weights(10_000) == (7_500, 5_000, 2_500, 0)
    assert rollback_weights(200) == (150, 100, 50, 0)
    assert rollback_weights(333) == (249, 166, 83, 0)


@given(st.integers(0, 10_000))
def test_a_rollback_never_rises_and_ends_at_zero(weight_bp: int) -> None:
    weights = (weight_bp, *rollback_weights(weight_bp))
    assert list(weights) == sorted(weights, reverse=True)
    assert weights[-1] == 0
