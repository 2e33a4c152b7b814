"""What becomes of a promotion by itself: it starts once it is approved and all still holds, or expires."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from promptstore.core import clock
from promptstore.core.actors import system
from releases.models import Promotion
from releases.plans import Plan, lacks_shadow
from releases.selectors.policies import policy_in_force, policy_of
from releases.services.deployments import go_live, is_where_it_must_be_first
from releases.services.locks import lock_promotion
from releases.services.moves import move_promotion
from releases.services.rollouts import open_rollout, why_not_now
from releases.services.votes import dismiss_approvals, has_quorum
from releases.states import NOT_STARTED, PromotionState

_CONTROLLER = system("controller")


def start_promotion(*, promotion_id: UUID) -> bool:
    """Start what is approved, if everything that was approved still holds; returns whether it left the `approved` state.

    Checked again under the lock: what is stable, the quorum of people who may approve *now*, the evidence, the policy, the plan,
    expiry.
    It stays approved while another rollout is live or units are still withdrawn by an incident.
    """
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id)
        if promotion.state != PromotionState.APPROVED:
            return False
        policy = policy_of(promotion.policy)
        deployment = promotion.deployment
        if promotion.expires_at <= clock.now():
            move_promotion(_CONTROLLER, promotion, "expire", outcome="It was not started in time.")
        elif promotion.base_release_id != deployment.stable_release_id:
            move_promotion(
                _CONTROLLER,
                promotion,
                "supersede",
                outcome="Another release went live since this was requested. Request it again.",
            )
        elif policy_in_force(deployment.environment).digest != promotion.policy.digest or (
            policy.quorum and not has_quorum(promotion, policy)
        ):
            dismiss_approvals(
                promotion,
                reason="An approval no longer counts: its approver, the evidence or the policy changed.",
            )
        elif not is_where_it_must_be_first(promotion.release, deployment, policy):
            move_promotion(
                _CONTROLLER,
                promotion,
                "supersede",
                outcome=f"It is no longer live in {policy.requires_live_in}.",
            )
        elif lacks_shadow(_plan_of(promotion), deployment.environment.kind):
            move_promotion(
                _CONTROLLER,
                promotion,
                "supersede",
                outcome="Its plan has no shadow step, which production needs by now. Add one to the policy and request it again.",
            )
        elif why_not_now(deployment):
            return False
        else:
            _start(promotion)
    return True


def _start(promotion: Promotion) -> None:
    move_promotion(_CONTROLLER, promotion, "start")
    plan = _plan_of(promotion)
    if plan is None:
        go_live(_CONTROLLER, promotion)
    else:
        open_rollout(_CONTROLLER, promotion, plan)


def expire_promotions() -> int:
    """Close what nobody decided in time; returns how many."""
    due = Promotion.objects.filter(
        state__in=[state.value for state in NOT_STARTED], expires_at__lte=clock.now()
    )
    count = 0
    for promotion_id in due.values_list("pk", flat=True):
        with transaction.atomic():
            promotion = lock_promotion(promotion_id=promotion_id)
            if promotion.state in NOT_STARTED and promotion.expires_at <= clock.now():
                move_promotion(_CONTROLLER, promotion, "expire", outcome="Nobody decided in time.")
                count += 1
    return count


def _plan_of(promotion: Promotion) -> Plan | None:
    """The plan it was requested with; `None` where its policy has none and a release goes live at once."""
    return Plan.from_dict(promotion.plan) if promotion.plan["steps"] else None
