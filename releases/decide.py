"""The rollout controller's one decision, as a pure function of what is known at a moment.

Laws, each with a property test:

- Nothing moves up before its step's least time and least samples have passed, nor while any rule is not
  `pass`. A rule without an evaluation counts as `no_data`, so silence never moves a weight up.
- A breached `step` rule starts the way down, a breached `cut` rule takes all traffic away at once, both
  also while paused. A breached `hold` rule only keeps the rollout where it is.
- On the way down the weight only falls, whatever the rules say meanwhile, and silence does not stop it.
  Moves are at least the rollback interval apart; after an outage of the controller it continues with one
  step per tick.
- In a shadow step the weight is 0, and the calls that count are the copies that the candidate answered. A breach ends the
  rollout at once, since nothing is at risk that would have to be taken back in steps. When the step's budget is spent the
  copying stops and the step holds; a spent budget never moves anything up.
- `now` may step back. Nothing moves up before its time because of it, and the way down waits for two
  intervals at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import ClassVar

from releases.plans import Plan, Step, rollback_weights
from releases.routing import Arm
from releases.rules import sentences
from releases.rules.measurements import Evaluation
from releases.rules.spec import RuleAction, RuleSpec
from releases.rules.verdicts import Verdict
from releases.states import RolloutState
from telemetry.metrics.base import Unit

DEFAULT_ROLLBACK_INTERVAL_S = 300


@dataclass(frozen=True, slots=True)
class Rollback:
    """How a rollback stands: the weight it started from and when it last moved. Its position follows from the
    weight.
    """

    from_weight_bp: int
    last_move_at: datetime


@dataclass(frozen=True, slots=True)
class RolloutView:
    """What the controller knows of one rollout.

    `samples` counts the calls of each arm since `step_entered_at`. In a shadow step `mirrored_bp` is the share of calls that is
    copied to the candidate now (0: the budget is spent), and `spent_nanos` what its copies have cost. `rules` are the rules
    that apply now (see `without_baselines` for a rollout without a stable arm). Times are timezone-aware. Raises `ValueError`
    for a view that cannot be: a step that the plan does not have, a weight above its step's, a way down that never started.
    """

    state: RolloutState
    plan: Plan
    step_index: int
    weight_bp: int
    step_entered_at: datetime
    samples: Mapping[Arm, int]
    rules: tuple[RuleSpec, ...]
    rollback: Rollback | None = None
    rollback_interval_s: int = DEFAULT_ROLLBACK_INTERVAL_S
    mirrored_bp: int = 0
    spent_nanos: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.step_index < len(self.plan.steps):
            raise ValueError(f"the plan has no step {self.step_index}")
        if not 0 <= self.weight_bp <= self.step.weight_bp:
            raise ValueError(f"weight {self.weight_bp} is not within the step's {self.step.weight_bp}")
        if self.state == RolloutState.ROLLING_BACK and self.rollback is None:
            raise ValueError("a rollout that is rolling back says where it started from")

    @property
    def step(self) -> Step:
        """The step that the rollout is at."""
        return self.plan.steps[self.step_index]

    @property
    def is_over_budget(self) -> bool:
        """Whether the copies of this step have cost what they may."""
        most = self.step.max_cost_nanos
        return most is not None and self.spent_nanos >= most


class DecisionKind(StrEnum):
    HOLD = "hold"
    ADVANCE = "advance"
    COMPLETE = "complete"
    STOP_MIRRORING = "stop_mirroring"
    START_ROLLBACK = "start_rollback"
    STEP_DOWN = "step_down"
    CUT = "cut"
    FINISH_ROLLBACK = "finish_rollback"


@dataclass(frozen=True, slots=True)
class Hold:
    """Stay. `seconds_to_go` and `samples_to_go` are what the step (or the way down) still waits for;
    `rule_ids` the rules that are not `pass`."""

    kind: ClassVar[DecisionKind] = DecisionKind.HOLD
    weight_bp: int
    reasons: tuple[str, ...]
    seconds_to_go: int = 0
    samples_to_go: int = 0
    rule_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advance:
    """Go up to `step_index` and its weight."""

    kind: ClassVar[DecisionKind] = DecisionKind.ADVANCE
    weight_bp: int
    reasons: tuple[str, ...]
    step_index: int


@dataclass(frozen=True, slots=True)
class Complete:
    """The last step has held: the candidate is live."""

    kind: ClassVar[DecisionKind] = DecisionKind.COMPLETE
    weight_bp: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopMirroring:
    """Copy no more calls to the candidate: the budget of its shadow step is spent."""

    kind: ClassVar[DecisionKind] = DecisionKind.STOP_MIRRORING
    reasons: tuple[str, ...]
    weight_bp: int = field(default=0, init=False)


@dataclass(frozen=True, slots=True)
class StartRollback:
    """Begin the way down with `weight_bp`, because `rule_ids` were breached.

    `position` counts the weights of the way down from 0 (75 %) to 3 (0 %).
    """

    kind: ClassVar[DecisionKind] = DecisionKind.START_ROLLBACK
    weight_bp: int
    reasons: tuple[str, ...]
    position: int
    rule_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepDown:
    """Go on down to `weight_bp`, at `position` of the way."""

    kind: ClassVar[DecisionKind] = DecisionKind.STEP_DOWN
    weight_bp: int
    reasons: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Take all traffic away at once, because `rule_ids` were breached."""

    kind: ClassVar[DecisionKind] = DecisionKind.CUT
    reasons: tuple[str, ...]
    rule_ids: tuple[str, ...]
    weight_bp: int = field(default=0, init=False)


@dataclass(frozen=True, slots=True)
class FinishRollback:
    """The candidate takes no traffic any more: the rollback is over."""

    kind: ClassVar[DecisionKind] = DecisionKind.FINISH_ROLLBACK
    reasons: tuple[str, ...]
    weight_bp: int = field(default=0, init=False)


Decision = Hold | Advance | Complete | StopMirroring | StartRollback | StepDown | Cut | FinishRollback


def decide(rollout: RolloutView, evaluations: Mapping[str, Evaluation], now: datetime) -> Decision:
    """What to do with `rollout` at `now`, given the evaluation of each rule by its id.

    Asking again with the same input gives the same answer, so a controller that died before it acted
    repeats itself harmlessly. `weight_bp` of every decision is the candidate's weight after it.
    """
    breached = _breached(rollout.rules, evaluations)
    match rollout.state:
        case RolloutState.RUNNING | RolloutState.PAUSED:
            return _descent(rollout, breached, evaluations) or _ascent(rollout, evaluations, now)
        case RolloutState.ROLLING_BACK:
            return _cut(breached, evaluations) or _step_down(rollout, now)
        case RolloutState.PENDING:
            return Hold(rollout.weight_bp, ("The rollout has not started.",))
        case _:
            return Hold(rollout.weight_bp, ("The rollout is over.",))


def _breached(rules: tuple[RuleSpec, ...], evaluations: Mapping[str, Evaluation]) -> tuple[RuleSpec, ...]:
    """The rules that send a rollout down: evaluated, failed, and not merely holding."""
    return tuple(
        spec
        for spec in rules
        if spec.action != RuleAction.HOLD and _verdict(spec, evaluations) is Verdict.FAIL
    )


def _verdict(spec: RuleSpec, evaluations: Mapping[str, Evaluation]) -> Verdict:
    evaluation = evaluations.get(spec.id)
    return Verdict.NO_DATA if evaluation is None else evaluation.verdict


def _descent(
    rollout: RolloutView, breached: tuple[RuleSpec, ...], evaluations: Mapping[str, Evaluation]
) -> Cut | StartRollback | None:
    if breached and rollout.step.is_shadow:
        shown = "None of the candidate's answers was shown: it ran in shadow."
        return Cut(
            reasons=(*_reasons(breached, evaluations), shown), rule_ids=tuple(spec.id for spec in breached)
        )
    cut = _cut(breached, evaluations)
    if cut or not breached:
        return cut
    position, weight_bp = _next_down(rollout.weight_bp, rollout.weight_bp)
    return StartRollback(
        weight_bp=weight_bp,
        reasons=_reasons(breached, evaluations),
        position=position,
        rule_ids=tuple(spec.id for spec in breached),
    )


def _cut(breached: tuple[RuleSpec, ...], evaluations: Mapping[str, Evaluation]) -> Cut | None:
    if all(spec.action != RuleAction.CUT for spec in breached):
        return None
    return Cut(reasons=_reasons(breached, evaluations), rule_ids=tuple(spec.id for spec in breached))


def _step_down(rollout: RolloutView, now: datetime) -> Hold | StepDown | FinishRollback:
    assert rollout.rollback is not None, "checked by RolloutView"
    if rollout.weight_bp == 0:
        return FinishRollback(("The candidate takes no traffic any more.",))
    position, weight_bp = _next_down(rollout.rollback.from_weight_bp, rollout.weight_bp)
    interval = timedelta(seconds=rollout.rollback_interval_s)
    due_at = rollout.rollback.last_move_at + interval
    # A move further ahead than an interval was stamped before somebody set the clock back: the way down does not wait for it.
    if now < due_at <= now + 2 * interval:
        seconds = ceil((due_at - now).total_seconds())
        reason = f"Down to {sentences.weight(weight_bp)} in {sentences.duration(seconds)}."
        return Hold(rollout.weight_bp, (reason,), seconds_to_go=seconds)
    reason = f"{sentences.duration(rollout.rollback_interval_s)} since the last move down."
    return StepDown(weight_bp, (reason,), position=position)


def _next_down(from_weight_bp: int, weight_bp: int) -> tuple[int, int]:
    """Position and weight of the first stop on the way down from `from_weight_bp` below the present weight.

    It follows from the weight alone, so no stored counter can disagree with the traffic; stops that rounding
    made equal are passed in one move.
    """
    weights = rollback_weights(from_weight_bp)
    following = next((weight for weight in weights if weight < weight_bp), 0)
    return max(position for position, weight in enumerate(weights) if weight == following), following


def _ascent(
    rollout: RolloutView, evaluations: Mapping[str, Evaluation], now: datetime
) -> Hold | Advance | Complete | StopMirroring:
    step = rollout.step
    place = "in shadow" if step.is_shadow else f"at {sentences.weight(step.weight_bp)}"
    waiting = tuple(spec for spec in rollout.rules if _verdict(spec, evaluations) is not Verdict.PASS)
    elapsed_s = (now - rollout.step_entered_at).total_seconds()
    seconds = max(0, ceil(step.min_duration_s - elapsed_s))
    samples = max(0, step.min_samples - rollout.samples.get(step.judged_arm, 0))
    reasons: list[str] = []
    if rollout.state == RolloutState.PAUSED:
        reasons.append("The rollout is paused.")
    if seconds:
        least = sentences.duration(step.min_duration_s)
        reasons.append(f"{sentences.duration(seconds)} to go of {least} {place}.")
    if samples:
        reasons.append(f"{samples:,} samples to go of {step.min_samples:,} {place}.")
    reasons += _reasons(waiting, evaluations)
    if reasons:
        if rollout.is_over_budget and rollout.mirrored_bp:
            return StopMirroring((_spent(rollout), *reasons))
        if rollout.is_over_budget:
            reasons.insert(0, f"{_spent(rollout)} What was seen has to do; roll it back if it does not.")
        return Hold(
            rollout.weight_bp,
            tuple(reasons),
            seconds_to_go=seconds,
            samples_to_go=samples,
            rule_ids=tuple(spec.id for spec in waiting),
        )
    passed = (f"Time, samples and all rules passed {place}.",)
    following = rollout.step_index + 1
    if following == len(rollout.plan.steps):
        return Complete(rollout.weight_bp, passed)
    return Advance(rollout.plan.steps[following].weight_bp, passed, step_index=following)


def _spent(rollout: RolloutView) -> str:
    most = sentences.amount(float(rollout.step.max_cost_nanos or 0), Unit.USD_NANOS)
    return f"The budget of {most} for copies of calls is spent; no more are made."


def _reasons(specs: tuple[RuleSpec, ...], evaluations: Mapping[str, Evaluation]) -> tuple[str, ...]:
    reasons: list[str] = []
    for spec in specs:
        evaluation = evaluations.get(spec.id)
        found = evaluation.sentences if evaluation else ()
        # Never empty: what makes a rollout hold must not vanish for lack of words.
        reasons += [f"{spec.id}: {sentence}" for sentence in found or ("not evaluated yet.",)]
    return tuple(reasons)
