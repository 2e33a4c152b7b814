"""Plans as steps that people read: done, now, next; with the time and samples that each still needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor

from releases.models import Rollout
from releases.plans import Plan, Step, rollback_weights
from releases.routing import Arm
from releases.rules.sentences import amount, duration, weight
from releases.states import RolloutState
from telemetry.metrics.base import Unit


@dataclass(frozen=True)
class StepView:
    """One step of the console's stepper. Times in seconds; `state` is done, current, held, failed or next."""

    label: str
    state: str
    note: str = ""
    time_done: int | None = None
    time_needed: int | None = None
    samples_done: int | None = None
    samples_needed: int | None = None
    by: str = ""


_HERE = {
    RolloutState.RUNNING: "current",
    RolloutState.PAUSED: "held",
    RolloutState.PENDING: "next",
    RolloutState.ROLLING_BACK: "failed",
    RolloutState.ROLLED_BACK: "failed",
    RolloutState.ABORTED: "failed",
    RolloutState.COMPLETED: "done",
}


def planned_steps(plan: Mapping[str, object]) -> list[StepView]:
    """A plan before anything started; a plan without steps goes to everybody at once."""
    if not plan["steps"]:
        return [StepView(label="100 %", state="next", note="Goes live whole, at once.")]
    parsed = Plan.from_dict(plan)
    return [_planned(parsed, index) for index in range(len(parsed.steps))]


def rollout_steps(rollout: Rollout, samples: Mapping[Arm, int], now: datetime) -> list[StepView]:
    """A rollout's plan with where it stands."""
    plan = rollout.plan
    here = _HERE[RolloutState(rollout.state)]
    views = []
    for index, step in enumerate(plan.steps):
        if index == rollout.step_index:
            ended = rollout.finished_at or now
            views.append(
                StepView(
                    label=step_name(step),
                    state=here,
                    note=_role(plan, index),
                    time_done=min(
                        floor((ended - rollout.step_entered_at).total_seconds()), step.min_duration_s
                    ),
                    time_needed=step.min_duration_s,
                    samples_done=min(samples.get(step.judged_arm, 0), step.min_samples),
                    samples_needed=step.min_samples,
                )
            )
        elif index < rollout.step_index:
            views.append(StepView(label=step_name(step), state="done", note=_role(plan, index)))
        else:
            views.append(_planned(plan, index))
    return views


def step_name(step: Step) -> str:
    """“Shadow”, or the weight that the candidate has in it."""
    return "Shadow" if step.is_shadow else weight(step.weight_bp)


def _planned(plan: Plan, index: int) -> StepView:
    step = plan.steps[index]
    return StepView(
        label=step_name(step),
        state="next",
        note=_role(plan, index),
        time_needed=step.min_duration_s,
        samples_needed=step.min_samples,
    )


def way_down(rollout: Rollout, interval_s: int) -> list[StepView]:
    """The weights of a rollback under way or over, from the weight it started at; empty for any other rollout."""
    if rollout.state not in {RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK} or not rollout.withdrawn_bp:
        return []
    stops = _distinct(rollback_weights(rollout.withdrawn_bp))
    if rollout.state == RolloutState.ROLLED_BACK:
        return [StepView(label=weight(stop), state="done") for stop in stops]
    views = []
    for stop in stops:
        state = "done" if stop > rollout.weight_bp else "current" if stop == rollout.weight_bp else "next"
        note = f"{duration(interval_s)} after the step before" if state == "next" else ""
        views.append(StepView(label=weight(stop), state=state, note=note))
    return views


def _distinct(stops: Sequence[int]) -> list[int]:
    return sorted(set(stops), reverse=True)


def _role(plan: Plan, index: int) -> str:
    step = plan.steps[index]
    if step.is_shadow:
        most = "" if step.max_cost_nanos is None else f" for at most {_dollars(step.max_cost_nanos)}"
        return f"Answers copies of {weight(step.share_bp)} of the calls{most}; nobody sees them"
    if index == len(plan.steps) - 1:
        return "Everybody; then it is live"
    return "Canary" if index == plan.canary_index else ""


def _dollars(nanos: int) -> str:
    return amount(float(nanos), Unit.USD_NANOS)
