from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from incidents.models import Incident
from incidents.states import IncidentState
from promptstore.core import clock
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.permissions import require
from registry import documents
from releases.measuring import samples_in_step
from releases.models import Deployment, Promotion, Rollout
from releases.models.rollouts import LIVE
from releases.plans import Plan, rollback_weights
from releases.services.deployments import go_live
from releases.services.locks import lock_rollout
from releases.services.moves import move_promotion, move_rollout
from releases.states import RolloutState


def why_not_now(deployment: Deployment) -> str:
    """What keeps a new rollout from starting in a deployment, as a sentence; empty when nothing does."""
    if Rollout.objects.filter(deployment=deployment, state__in=LIVE).exists():
        return "Another rollout is live here."
    last = Rollout.objects.filter(deployment=deployment).order_by("-id").first()
    if last and last.incident_id and last.withdrawn_bp:
        still_open = [IncidentState.OPEN, IncidentState.ACKNOWLEDGED]
        if Incident.objects.filter(pk=last.incident_id, state__in=still_open).exists():
            return "The incident of the last rollout must be mitigated first: its units are still withdrawn."
    return ""


def open_rollout(actor: Actor, promotion: Promotion, plan: Plan) -> Rollout:
    """Begin the first step of an approved promotion, under the caller's lock. A new rollout has a new salt."""
    release = promotion.release
    body = documents.resolve(promotion.project_id, release.manifest, release.digest)["config"]["body"]
    rollout = Rollout.objects.create(
        project_id=promotion.project_id,
        promotion=promotion,
        deployment=promotion.deployment,
        baseline=promotion.deployment.stable_release,
        candidate=release,
        salt=secrets.token_hex(16),
        on_withdraw=body["on_withdraw"],
    )
    rollout.deployment = promotion.deployment
    first = plan.steps[0]
    move_rollout(
        actor,
        rollout,
        "start",
        weight_bp=first.weight_bp,
        step_index=0,
        sentences=["All gates passed and approved."],
    )
    return rollout


def start_rollout(*, actor: Actor, project_id: UUID, rollout_id: UUID) -> Rollout:
    """Start a rollout that was opened and waits."""
    with transaction.atomic():
        rollout = lock_rollout(rollout_id=rollout_id, project_id=project_id)
        move_rollout(
            actor,
            rollout,
            "start",
            weight_bp=rollout.plan.steps[0].weight_bp,
            step_index=0,
        )
    return rollout


def pause_rollout(*, actor: Actor, project_id: UUID, rollout_id: UUID, reason: str) -> Rollout:
    """Hold the weight where it is. Rules keep being measured: a breach still rolls back."""
    _need(reason)
    with transaction.atomic():
        rollout = lock_rollout(rollout_id=rollout_id, project_id=project_id)
        rollout.pause_reason = reason
        move_rollout(actor, rollout, "pause", reason=reason)
    return rollout


def resume_rollout(*, actor: Actor, project_id: UUID, rollout_id: UUID, reason: str = "") -> Rollout:
    """Go on; the step's minimum time and samples count as before."""
    with transaction.atomic():
        rollout = lock_rollout(rollout_id=rollout_id, project_id=project_id)
        rollout.pause_reason = ""
        move_rollout(actor, rollout, "resume", reason=reason)
    return rollout


def advance_rollout(
    *, actor: Actor, project_id: UUID, rollout_id: UUID, expected_step: int, reason: str
) -> Rollout:
    """Promote now: go to the next step without waiting for the rest of this one.

    Only after shadow steps and the canary (the first step that users see) have met their own minimum: nobody skips them (R31).
    `expected_step` is the step the person saw; if the controller was faster, nothing happens and `Conflict` says so.
    """
    _need(reason)
    with transaction.atomic():
        rollout = lock_rollout(rollout_id=rollout_id, project_id=project_id)
        require(actor, "rollout.advance", project_id=project_id)
        if rollout.step_index != expected_step:
            raise Conflict(
                f"The rollout is at step {rollout.step_index + 1} by now. Look again.", code="step_moved"
            )
        shortfall = canary_shortfall(rollout)
        if shortfall:
            raise Conflict(shortfall, code="canary_not_met")
        plan = rollout.plan
        following = rollout.step_index + 1
        if following == len(plan.steps):
            complete_rollout(actor, rollout, reason=reason)
        else:
            move_rollout(
                actor,
                rollout,
                "advance",
                weight_bp=plan.steps[following].weight_bp,
                step_index=following,
                reason=reason,
            )
    return rollout


def canary_shortfall(rollout: Rollout) -> str:
    """What a shadow step or the canary still lacks before a person may hurry it, as a sentence; empty when its minimum is met."""
    plan = rollout.plan
    if rollout.step_index > plan.canary_index:
        return ""
    step = plan.steps[rollout.step_index]
    seconds = step.min_duration_s - (clock.now() - rollout.step_entered_at).total_seconds()
    samples = step.min_samples - samples_in_step(rollout).get(step.judged_arm, 0)
    if seconds <= 0 and samples <= 0:
        return ""
    missing = [f"{max(seconds, 0):,.0f} s"] * (seconds > 0) + [f"{samples:,} samples"] * (samples > 0)
    name = "shadow step" if step.is_shadow else "canary"
    return f"The {name} still lacks {' and '.join(missing)}; nobody skips it."


def complete_rollout(
    actor: Actor,
    rollout: Rollout,
    *,
    sentences: Iterable[str] = (),
    measurements: Iterable[Mapping[str, Any]] = (),
    reason: str = "",
) -> None:
    """The candidate becomes the stable release, under the caller's lock."""
    move_rollout(actor, rollout, "complete", sentences=sentences, measurements=measurements, reason=reason)
    promotion = rollout.promotion
    promotion.deployment = rollout.deployment
    go_live(actor, promotion)


def roll_back(
    *, actor: Actor, project_id: UUID, rollout_id: UUID, reason: str, at_once: bool = False
) -> Rollout:
    """Take the candidate back: in steps of 75, 50, 25 and 0 % of its weight, or all of it `at_once`."""
    _need(reason)
    with transaction.atomic():
        rollout = lock_rollout(rollout_id=rollout_id, project_id=project_id)
        begin_rollback(actor, rollout, at_once=at_once, reason=reason)
    return rollout


def begin_rollback(
    actor: Actor,
    rollout: Rollout,
    *,
    at_once: bool,
    reason: str = "",
    sentences: Sequence[str] = (),
    measurements: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Start the way down under the caller's lock; the units that leave are withdrawn until the incident is mitigated.

    From a weight of 0, in shadow, there is no way to go: it ends at once.
    """
    rollout.withdrawn_bp = max(rollout.withdrawn_bp, rollout.weight_bp)
    if at_once or not rollout.weight_bp:
        move_rollout(
            actor, rollout, "cut", weight_bp=0, sentences=sentences, measurements=measurements, reason=reason
        )
        finish(actor, rollout, reason or " ".join(sentences))
        return
    weight = next((w for w in rollback_weights(rollout.weight_bp) if w < rollout.weight_bp), 0)
    move_rollout(
        actor,
        rollout,
        "roll_back",
        weight_bp=weight,
        sentences=sentences,
        measurements=measurements,
        reason=reason,
    )


def finish(actor: Actor, rollout: Rollout, outcome: str) -> None:
    """Close the promotion of a rollout that has gone down to nothing."""
    if rollout.state == RolloutState.ROLLED_BACK:
        move_promotion(actor, rollout.promotion, "roll_back", outcome=outcome)


def _need(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("Say why: the reason is kept in the decision log.", field="reason")
