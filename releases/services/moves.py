"""Taking one row of a state machine's table: permission, transition, record and audit in the caller's transaction and lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from incidents.services.outgoing import owe_people
from promptstore.core import audit, clock, machines, outbox
from promptstore.core.actors import Actor
from promptstore.core.permissions import require
from releases.models import Deployment, Promotion, Rollout, RolloutDecision
from releases.states import GOING_UP, PROMOTION, ROLLOUT, PromotionState, RolloutState
from reviews.services import withdraw_items

_PROMOTION_PAST = {
    "checks_passed": "checks_passed",
    "checks_failed": "checks_failed",
    "approve": "approved",
    "reject": "rejected",
    "dismiss_approvals": "approvals_dismissed",
    "start": "started",
    "complete": "completed",
    "roll_back": "rolled_back",
    "cancel": "cancelled",
    "expire": "expired",
    "supersede": "superseded",
}
_ROLLOUT_PAST = {
    "start": "started",
    "advance": "advanced",
    "stop_mirroring": "mirroring_stopped",
    "complete": "completed",
    "pause": "paused",
    "resume": "resumed",
    "roll_back": "rollback_started",
    "step_down": "stepped_down",
    "cut": "cut",
    "finish_rollback": "rolled_back",
    "abort": "aborted",
}


def move_promotion(
    actor: Actor,
    promotion: Promotion,
    action: str,
    *,
    outcome: str | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Move a locked promotion. Who may do it was decided by the service, since votes also depend on the policy."""
    step = machines.apply(PROMOTION, PromotionState(promotion.state), action)
    before, promotion.state = promotion.state, step.target
    if outcome is not None:
        promotion.outcome = outcome
    promotion.save()
    event = audit.record(
        actor=actor,
        action=f"promotion.{_PROMOTION_PAST[action]}",
        target=promotion,
        project_id=promotion.project_id,
        before={"state": before},
        after={"state": promotion.state, **(after or {})},
        reason=reason or outcome or "",
    )
    owe_people(
        "people.promotion",
        actor,
        {"promotion_id": str(promotion.pk), "action": action, "before": before, "instance": str(event.pk)},
    )


def move_rollout(
    actor: Actor,
    rollout: Rollout,
    action: str,
    *,
    weight_bp: int | None = None,
    step_index: int | None = None,
    sentences: Iterable[str] = (),
    measurements: Iterable[Mapping[str, Any]] = (),
    reason: str = "",
) -> RolloutDecision:
    """Move a locked rollout and its weight; writes the decision record and tells the data plane in the same transaction."""
    step = machines.apply(ROLLOUT, RolloutState(rollout.state), action)
    if step.permission != machines.SYSTEM:
        require(actor, step.permission, project_id=rollout.project_id)
    now = clock.now()
    before_state, before_weight = rollout.state, rollout.weight_bp
    rollout.state = step.target
    if weight_bp is not None and weight_bp != rollout.weight_bp:
        rollout.weight_bp = weight_bp
        rollout.last_moved_at = now
    if step_index is not None:
        rollout.step_index = step_index
        rollout.step_entered_at = now
        rollout.mirrored_bp = rollout.step.share_bp
    if action == "stop_mirroring" or rollout.state not in GOING_UP:
        rollout.mirrored_bp = 0
    if rollout.state in ROLLOUT.final_states:
        rollout.finished_at = now
    rollout.save()
    said = [*sentences, *([reason] if reason else [])]
    decision = RolloutDecision.objects.create(
        project_id=rollout.project_id,
        rollout=rollout,
        number=rollout.decisions.count() + 1,
        at=now,
        kind=action,
        actor_name=actor.name,
        from_state=before_state,
        to_state=rollout.state,
        from_weight_bp=before_weight,
        to_weight_bp=rollout.weight_bp,
        step_index=rollout.step_index,
        sentences=said,
        measurements=list(measurements),
    )
    audit.record(
        actor=actor,
        action=f"rollout.{_ROLLOUT_PAST[action]}",
        target=rollout,
        project_id=rollout.project_id,
        before={"state": before_state, "weight_bp": before_weight},
        after={"state": rollout.state, "weight_bp": rollout.weight_bp, "decision": str(decision.id)},
        reason=" ".join(said),
    )
    owe_people("people.rollout", actor, {"decision_id": str(decision.pk)})
    if rollout.state in ROLLOUT.final_states:
        withdraw_items(
            project_id=rollout.project_id,
            rollout_id=rollout.pk,
            reason=f"The rollout is over: {rollout.state.replace('_', ' ')}.",
        )
    touch(rollout.deployment)
    return decision


def touch(deployment: Deployment) -> None:
    """Count a move of the locked deployment and have its snapshot published."""
    deployment.generation += 1
    deployment.save(update_fields=["generation", "stable_release"])
    outbox.emit("snapshot.publish", {"environment_id": str(deployment.environment_id)})
