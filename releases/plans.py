"""Rollout plans: the steps up, the steps down, and what production demands of both plan and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from promptstore.core.errors import InvalidInput
from releases.routing import TOTAL_BP
from releases.rules.fields import join, read_int, read_list, read_object
from releases.rules.nodes import metrics_used
from releases.rules.spec import RuleSpec
from telemetry.metrics.base import Category
from telemetry.metrics.catalogue import CATALOGUE

_MAX_STEPS = 50
_MAX_DURATION_S = 90 * 86_400
_MAX_SAMPLES = 100_000_000

# What a rollback keeps of the weight it starts from, in percent.
_ROLLBACK_PERCENT = (75, 50, 25, 0)


class EnvironmentKind(StrEnum):
    STAGING = "staging"
    PRODUCTION = "production"


# The ladder that production must climb: a canary, then a larger share, then half, then all; more steps
# between are fine.
_CANARY_BP = range(100, 501)
_LADDER = ((range(1_000, 2_501), "between 10 % and 25 %"), (range(5_000, 5_001), "at 50 %"))

_MEASURED = {
    Category.LATENCY: "latency",
    Category.COST: "cost",
    Category.POLICY: "policy hits",
    Category.CORRECTNESS: "a correctness metric",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step up: the candidate's weight, and its least time and samples before the next step."""

    weight_bp: int
    min_duration_s: int
    min_samples: int

    @classmethod
    def from_dict(cls, data: object, *, field: str = "") -> Step:
        """Read one step; raises `InvalidInput` with the field's path."""
        values = read_object(data, field, required=("weight_bp", "min_duration_s", "min_samples"))

        def number(name: str, minimum: int, maximum: int) -> int:
            return read_int(values[name], join(field, name), minimum=minimum, maximum=maximum)

        return cls(
            weight_bp=number("weight_bp", 1, TOTAL_BP),
            min_duration_s=number("min_duration_s", 0, _MAX_DURATION_S),
            min_samples=number("min_samples", 0, _MAX_SAMPLES),
        )

    def to_dict(self) -> dict[str, int]:
        """Plain JSON values; `from_dict` reads them back."""
        return {
            "weight_bp": self.weight_bp,
            "min_duration_s": self.min_duration_s,
            "min_samples": self.min_samples,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a rollout, in order. `from_dict` reads them, `validate_plan` checks them."""

    steps: tuple[Step, ...]

    @classmethod
    def from_dict(cls, data: object, *, field: str = "") -> Plan:
        """Read a plan; raises `InvalidInput` with the field's path, such as `steps[1].weight_bp`."""
        values = read_object(data, field, required=("steps",))
        where = join(field, "steps")
        items = read_list(values["steps"], where)
        if not 1 <= len(items) <= _MAX_STEPS:
            raise InvalidInput(f"{where} must hold 1 to {_MAX_STEPS} steps.", field=where)
        return cls(steps=tuple(Step.from_dict(item, field=f"{where}[{i}]") for i, item in enumerate(items)))

    def to_dict(self) -> dict[str, list[dict[str, int]]]:
        """Plain JSON values; `from_dict` reads them back."""
        return {"steps": [step.to_dict() for step in self.steps]}


def validate_plan(plan: Plan, environment_kind: EnvironmentKind) -> None:
    """Raise `InvalidInput` unless the plan climbs, step by step, to all traffic.

    Production further demands a canary of 1 to 5 % first, a step between 10 and 25 %, one at 50 %, and for
    every step a time and a number of samples of its own (R31).
    """
    weights = [step.weight_bp for step in plan.steps]
    if not weights:
        raise InvalidInput("The plan needs at least one step.", field="steps")
    for index in range(1, len(weights)):
        if weights[index] <= weights[index - 1]:
            raise InvalidInput(
                "Each step must take more traffic than the one before.", field=f"steps[{index}].weight_bp"
            )
    if weights[-1] != TOTAL_BP:
        raise InvalidInput(
            f"The last step must take all traffic ({TOTAL_BP:,}).",
            field=f"steps[{len(weights) - 1}].weight_bp",
        )
    if environment_kind == EnvironmentKind.PRODUCTION:
        _validate_production(plan)


def _validate_production(plan: Plan) -> None:
    weights = [step.weight_bp for step in plan.steps]
    if weights[0] not in _CANARY_BP:
        raise InvalidInput(
            "The first step in production is a canary of 1 to 5 % (100 to 500).", field="steps[0].weight_bp"
        )
    for allowed, words in _LADDER:
        if not any(weight in allowed for weight in weights):
            raise InvalidInput(f"A plan for production needs a step {words}.", field="steps")
    for index, step in enumerate(plan.steps):
        for name, value in (("min_duration_s", step.min_duration_s), ("min_samples", step.min_samples)):
            if value <= 0:
                raise InvalidInput(
                    "Each step in production needs a time and a number of samples of its own.",
                    field=f"steps[{index}].{name}",
                )


def validate_rules(rules: Sequence[RuleSpec]) -> None:
    """Raise `InvalidInput` unless what production demands is measured: latency, cost, policy hits and
    correctness (R31).

    For production alone; other environments may go without. A metric that nothing measures yet does not
    count.
    """
    used = {name for spec in rules for name in metrics_used(spec.rule)}
    measured = {CATALOGUE[name].category for name in used if CATALOGUE[name].available}
    missing = [words for category, words in _MEASURED.items() if category not in measured]
    if missing:
        raise InvalidInput(
            f"A canary in production must measure {', '.join(missing)} too. Add a rule for each.",
            code="not_measured",
            field="rules",
            status=422,
            extra={"missing": [category.value for category in _MEASURED if category not in measured]},
        )


def rollback_weights(weight_bp: int) -> tuple[int, int, int, int]:
    """The weights of the way down from `weight_bp`: 75, 50, 25 and 0 % of it, rounded down."""
    first, second, third, last = (weight_bp * percent // 100 for percent in _ROLLBACK_PERCENT)
    return first, second, third, last
