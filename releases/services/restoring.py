"""After a restore from a backup: what would move by itself stands still until a person has looked."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from promptstore.core.actors import Actor
from promptstore.core.permissions import require
from releases.models import Promotion, Rollout
from releases.selectors.policies import policy_of
from releases.services.locks import lock_promotion
from releases.services.moves import move_promotion
from releases.services.promotions import cancel_promotion
from releases.services.rollouts import pause_rollout
from releases.states import PromotionState, RolloutState


@dataclass(frozen=True)
class Held:
    """How many rollouts were paused, approvals dismissed, and checks called off."""

    paused: int
    dismissed: int
    cancelled: int


def hold_after_restore(*, actor: Actor, project_id: UUID, reason: str) -> Held:
    """Keep a project's releases from going on where the backup left them; each move has its own record.

    - A running rollout is paused at its weight. One on its way down goes on: that direction is safe.
    - An approved promotion has not started; it waits for new votes, since nobody knows what became of it after the backup.
    - A check that would start a release by itself, because its policy asks for no vote, is called off.
    """
    with transaction.atomic():
        require(actor, "rollout.pause", project_id=project_id)
        running = _ids(Rollout, project_id, RolloutState.RUNNING)
        for rollout_id in running:
            pause_rollout(actor=actor, project_id=project_id, rollout_id=rollout_id, reason=reason)
        approved = _ids(Promotion, project_id, PromotionState.APPROVED)
        for promotion_id in approved:
            promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
            move_promotion(actor, promotion, "dismiss_approvals", reason=reason)
        unattended = [
            promotion.pk
            for promotion in Promotion.objects.select_related("policy__environment").filter(
                project_id=project_id, state=PromotionState.CHECKING
            )
            if policy_of(promotion.policy).quorum == 0
        ]
        for promotion_id in unattended:
            cancel_promotion(actor=actor, project_id=project_id, promotion_id=promotion_id, reason=reason)
    return Held(paused=len(running), dismissed=len(approved), cancelled=len(unattended))


def _ids(
    model: type[Rollout | Promotion], project_id: UUID, state: RolloutState | PromotionState
) -> list[UUID]:
    return list(
        model.objects.filter(project_id=project_id, state=state).order_by("id").values_list("pk", flat=True)
    )
