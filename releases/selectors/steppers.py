"""Plans as steps that people read: done, now, next; with the time and samples that each still needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor

from releases.models import Rollout
from releases.plans import Plan, rollback_weights
from releases.routing import Arm
from releases.rules.sentences import duration, weight
from releases.states import RolloutState


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
    steps = Plan.from_dict(plan).steps
    return [
        StepView(
            label=weight(step.weight_bp),
            state="next",
            note=_role(index, len(steps)),
            time_needed=step.min_duration_s,
            samples_needed=step.min_samples,
        )
        for index, step in enumerate(steps)
    ]


def rollout_steps(rollout: Rollout, samples: Mapping[Arm, int], now: datetime) -> list[StepView]:
    """A rollout's plan with where it stands."""
    steps = Plan.from_dict(rollout.promotion.plan).steps
    here = _HERE[RolloutState(rollout.state)]
    views = []
    for index, step in enumerate(steps):
        if index == rollout.step_index:
            ended = rollout.finished_at or now
            views.append(
                StepView(
                    label=weight(step.weight_bp),
                    state=here,
                    note=_role(index, len(steps)),
                    time_done=min(
                        floor((ended - rollout.step_entered_at).total_seconds()), step.min_duration_s
                    ),
                    time_needed=step.min_duration_s,
                    samples_done=min(samples.get(Arm.CANDIDATE, 0), step.min_samples),
                    samples_needed=step.min_samples,
                )
            )
        elif index < rollout.step_index:
            views.append(StepView(label=weight(step.weight_bp), state="done", note=_role(index, len(steps))))
        else:
            views.append(
                StepView(
                    label=weight(step.weight_bp),
                    state="next",
                    note=_role(index, len(steps)),
                    time_needed=step.min_duration_s,
                    samples_needed=step.min_samples,
                )
            )
    return views


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


def _role(index: int, count: int) -> str:
    if index == count - 1:
        return "Everybody; then it is live"
    return "Canary" if index == 0 else ""
