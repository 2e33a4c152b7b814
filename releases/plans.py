"""Rollout plans: the steps up, the steps down, and what production demands of both plan and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from promptstore.core.errors import InvalidInput
from releases.routing import TOTAL_BP, Arm
from releases.rules.fields import join, read_choice, read_int, read_list, read_object
from releases.rules.nodes import metrics_used
from releases.rules.spec import RuleSpec
from telemetry.metrics.base import Category
from telemetry.metrics.catalogue import CATALOGUE

_MAX_STEPS = 50
_MAX_DURATION_S = 90 * 86_400
_MAX_SAMPLES = 100_000_000
_MAX_COST_NANOS = 10**15
DEFAULT_PAIRS_BP = 500

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


class StepKind(StrEnum):
    """What a step does with the candidate: answer a copy of the calls, or answer users."""

    SHADOW = "shadow"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Step:
    """One step up: the candidate's weight, and its least time and samples before the next step.

    In a shadow step nobody gets the candidate's answers (`weight_bp` is 0). It answers copies of `share_bp` of the calls, in
    basis points, and these are its samples. `max_cost_nanos` is what that may cost (`None`: whatever it costs). Of `pairs_bp`
    of the calls both answers are kept, here and in the steps that follow.
    """

    weight_bp: int
    min_duration_s: int
    min_samples: int
    kind: StepKind = StepKind.CANARY
    share_bp: int = 0
    max_cost_nanos: int | None = None
    pairs_bp: int = 0

    @classmethod
    def shadow(
        cls,
        min_duration_s: int,
        min_samples: int,
        *,
        share_bp: int = TOTAL_BP,
        max_cost_nanos: int | None = None,
        pairs_bp: int = DEFAULT_PAIRS_BP,
    ) -> Step:
        """A shadow step; by default of all calls, without a budget, with one pair in twenty calls."""
        return cls(0, min_duration_s, min_samples, StepKind.SHADOW, share_bp, max_cost_nanos, pairs_bp)

    @classmethod
    def from_dict(cls, data: object, *, field: str = "") -> Step:
        """Read one step; raises `InvalidInput` with the field's path. Without a `kind` it is a canary."""
        kind = StepKind.CANARY
        if isinstance(data, Mapping) and "kind" in data:
            kind = read_choice(data["kind"], join(field, "kind"), StepKind)
        values = read_object(
            data,
            field,
            required=_REQUIRED if kind is StepKind.SHADOW else ("weight_bp", *_REQUIRED),
            optional=("kind", "weight_bp", *_OF_SHADOWS) if kind is StepKind.SHADOW else ("kind",),
        )

        def number(name: str, minimum: int, maximum: int, default: object = None) -> int:
            return read_int(values.get(name, default), join(field, name), minimum=minimum, maximum=maximum)

        duration, samples = (
            number("min_duration_s", 0, _MAX_DURATION_S),
            number("min_samples", 0, _MAX_SAMPLES),
        )
        if kind is StepKind.CANARY:
            return cls(number("weight_bp", 1, TOTAL_BP), duration, samples)
        number("weight_bp", 0, 0, 0)
        return cls.shadow(
            duration,
            samples,
            share_bp=number("share_bp", 1, TOTAL_BP, TOTAL_BP),
            max_cost_nanos=number("max_cost_nanos", 1, _MAX_COST_NANOS)
            if "max_cost_nanos" in values
            else None,
            pairs_bp=number("pairs_bp", 0, TOTAL_BP, DEFAULT_PAIRS_BP),
        )

    def to_dict(self) -> dict[str, int | str]:
        """Plain JSON values; `from_dict` reads them back. A canary is written as it was before there were other kinds."""
        written: dict[str, int | str] = {
            "weight_bp": self.weight_bp,
            "min_duration_s": self.min_duration_s,
            "min_samples": self.min_samples,
        }
        if self.is_shadow:
            written |= {"kind": self.kind.value, "share_bp": self.share_bp, "pairs_bp": self.pairs_bp}
            if self.max_cost_nanos is not None:
                written["max_cost_nanos"] = self.max_cost_nanos
        return written

    @property
    def is_shadow(self) -> bool:
        """Whether nobody is shown what the candidate answers."""
        return self.kind is StepKind.SHADOW

    @property
    def judged_arm(self) -> Arm:
        """The arm whose calls are the candidate's samples in this step."""
        return Arm.SHADOW if self.is_shadow else Arm.CANDIDATE


_REQUIRED = ("min_duration_s", "min_samples")
_OF_SHADOWS = ("share_bp", "max_cost_nanos", "pairs_bp")


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

    def to_dict(self) -> dict[str, list[dict[str, int | str]]]:
        """Plain JSON values; `from_dict` reads them back."""
        return {"steps": [step.to_dict() for step in self.steps]}

    @property
    def has_shadow(self) -> bool:
        """Whether it begins with a shadow step."""
        return bool(self.steps) and self.steps[0].is_shadow

    @property
    def canary_index(self) -> int:
        """The position of the first step whose answers users get."""
        return next((i for i, step in enumerate(self.steps) if not step.is_shadow), len(self.steps))

    @property
    def pairs_bp(self) -> int:
        """Of how many calls both answers are kept, in basis points; the last shadow step says so for all that follow it."""
        return next((step.pairs_bp for step in reversed(self.steps) if step.is_shadow), 0)


def validate_plan(plan: Plan, environment_kind: EnvironmentKind) -> None:
    """Raise `InvalidInput` unless the plan climbs, step by step, to all traffic; shadow steps come before all others.

    Production further demands a canary of 1 to 5 % first, a step between 10 and 25 %, one at 50 %, and for
    every step a time and a number of samples of its own (R31). What it demands of new plans alone: `require_shadow`.
    """
    weights = [step.weight_bp for step in plan.steps]
    if not weights:
        raise InvalidInput("The plan needs at least one step.", field="steps")
    for index in range(1, len(weights)):
        if plan.steps[index].is_shadow:
            if not plan.steps[index - 1].is_shadow:
                raise InvalidInput("Shadow steps come before all others.", field=f"steps[{index}].kind")
        elif weights[index] <= weights[index - 1]:
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


def lacks_shadow(plan: Plan | None, environment_kind: str) -> bool:
    """Whether the plan, or having none, would show answers in production that no shadow step has seen."""
    return environment_kind == EnvironmentKind.PRODUCTION and not (plan and plan.has_shadow)


def require_shadow(plan: Plan, environment_kind: EnvironmentKind) -> None:
    """Raise `InvalidInput` (`no_shadow`) for a plan that lacks it.

    Apart from `validate_plan`, because plans that were approved before there were shadow steps are still read and followed.
    """
    if lacks_shadow(plan, environment_kind):
        raise InvalidInput(
            "A plan for production begins with a shadow step, which copies calls to the candidate and shows none of its "
            f"answers. Put one before the others, such as {SHADOW_EXAMPLE}.",
            code="no_shadow",
            field="steps[0].kind",
        )


SHADOW_EXAMPLE = '{"kind": "shadow", "share_bp": 10000, "min_duration_s": 3600, "min_samples": 100}'


def _validate_production(plan: Plan) -> None:
    weights = [step.weight_bp for step in plan.steps]
    first = plan.canary_index
    if weights[first] not in _CANARY_BP:
        raise InvalidInput(
            "The first step in production whose answers are shown is a canary of 1 to 5 % (100 to 500).",
            field=f"steps[{first}].weight_bp",
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
