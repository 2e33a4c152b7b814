"""The states of promotions and rollouts and what may happen to them. No Django.

A person's action and the controller's are the same row: the system actor holds every permission. Rows with
the permission `system` are the product's alone.
"""

from __future__ import annotations

from enum import StrEnum

from promptstore.core.machines import SYSTEM, Machine, next_state, rows

__all__ = ["PROMOTION", "ROLLOUT", "PromotionState", "RolloutState", "next_state"]


class PromotionState(StrEnum):
    DRAFTED = "drafted"
    CHECKING = "checking"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    ROLLING_OUT = "rolling_out"
    LIVE = "live"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


NOT_STARTED = (
    PromotionState.DRAFTED,
    PromotionState.CHECKING,
    PromotionState.BLOCKED,
    PromotionState.AWAITING_APPROVAL,
    PromotionState.APPROVED,
)
"""The states of a promotion that may still reach traffic, and has not."""


class RolloutState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


GOING_UP = (RolloutState.RUNNING, RolloutState.PAUSED)
"""The states of a rollout that may still gain traffic, or waits to."""


_P = PromotionState
_R = RolloutState

# What has not reached traffic yet: it can still be called off, outdated or overtaken.
_UNDECIDED = (_P.DRAFTED, _P.CHECKING, _P.BLOCKED, _P.AWAITING_APPROVAL, _P.APPROVED)

PROMOTION: Machine[PromotionState] = Machine(
    name="promotion",
    states=PromotionState,
    initial=_P.DRAFTED,
    transitions=(
        *rows("submit", (_P.DRAFTED,), _P.CHECKING, "promotion.request"),
        *rows("checks_passed", (_P.CHECKING,), _P.AWAITING_APPROVAL, SYSTEM),
        *rows("checks_failed", (_P.CHECKING,), _P.BLOCKED, SYSTEM),
        # New evidence: after a block, after a change to the policy, or when reports have grown old.
        *rows("recheck", (_P.BLOCKED, _P.AWAITING_APPROVAL), _P.CHECKING, "promotion.request"),
        # A vote short of the quorum changes nothing but the count; the one that completes it approves.
        *rows("vote", (_P.AWAITING_APPROVAL,), _P.AWAITING_APPROVAL, "promotion.approve"),
        *rows("approve", (_P.AWAITING_APPROVAL,), _P.APPROVED, "promotion.approve"),
        *rows("reject", (_P.AWAITING_APPROVAL, _P.APPROVED), _P.REJECTED, "promotion.reject"),
        # Plan, evidence or policy changed after people had voted: their votes no longer count.
        *rows("dismiss_approvals", (_P.AWAITING_APPROVAL, _P.APPROVED), _P.AWAITING_APPROVAL, SYSTEM),
        *rows("start", (_P.APPROVED,), _P.ROLLING_OUT, "rollout.start"),
        *rows("complete", (_P.ROLLING_OUT,), _P.LIVE, SYSTEM),
        *rows("roll_back", (_P.ROLLING_OUT, _P.LIVE), _P.ROLLED_BACK, "rollout.roll_back"),
        *rows("cancel", _UNDECIDED, _P.CANCELLED, "promotion.cancel"),
        *rows("expire", _UNDECIDED, _P.EXPIRED, SYSTEM),
        # By a newer promotion of the same deployment; a live one by the next that goes live.
        *rows("supersede", (*_UNDECIDED, _P.LIVE), _P.SUPERSEDED, SYSTEM),
    ),
)

_UP = (_R.RUNNING, _R.PAUSED)

ROLLOUT: Machine[RolloutState] = Machine(
    name="rollout",
    states=RolloutState,
    initial=_R.PENDING,
    transitions=(
        *rows("start", (_R.PENDING,), _R.RUNNING, "rollout.start"),
        # Where a rollout stands is its step index; moving to the next step does not change its state.
        *rows("advance", (_R.RUNNING,), _R.RUNNING, "rollout.advance"),
        # The budget of a shadow step is spent: the candidate answers no more copies of calls.
        *rows("stop_mirroring", (_R.RUNNING,), _R.RUNNING, SYSTEM),
        *rows("stop_mirroring", (_R.PAUSED,), _R.PAUSED, SYSTEM),
        *rows("complete", (_R.RUNNING,), _R.COMPLETED, SYSTEM),
        *rows("pause", (_R.RUNNING,), _R.PAUSED, "rollout.pause"),
        *rows("resume", (_R.PAUSED,), _R.RUNNING, "rollout.resume"),
        # A paused rollout still serves traffic, so it must be able to go down.
        *rows("roll_back", _UP, _R.ROLLING_BACK, "rollout.roll_back"),
        *rows("step_down", (_R.ROLLING_BACK,), _R.ROLLING_BACK, SYSTEM),
        *rows("cut", (*_UP, _R.ROLLING_BACK), _R.ROLLED_BACK, "rollout.roll_back"),
        *rows("finish_rollback", (_R.ROLLING_BACK,), _R.ROLLED_BACK, SYSTEM),
        # Called off rather than failed: before it began, or ended at once by a person.
        *rows("abort", (_R.PENDING, *_UP), _R.ABORTED, "rollout.roll_back"),
    ),
)
