"""Who is concerned by a move of a promotion or a rollout, found when the outbox hands the move on and not while it is made.

The audience is that of *now*: approvers may have changed, a promotion may be decided already, and nobody is asked for an approval
that is no longer wanted. A move that ends a rollout is told as its promotion's, so that nobody hears of one end twice.
"""

from __future__ import annotations

from uuid import UUID

from incidents.notifications.personal.events import PersonalEvent
from incidents.notifications.personal.news import News
from incidents.services.people import Interest, person, tell_people
from promptstore.core.http.links import whole_url
from releases.models import Promotion, Rollout, RolloutDecision
from releases.selectors.policies import policy_of
from releases.services.votes import who_may_approve
from releases.states import PromotionState, RolloutState

_E = PersonalEvent
_OF_PROMOTIONS = {
    "checks_passed": _E.APPROVAL_REQUESTED,
    "checks_failed": _E.BLOCKED,
    "approve": _E.APPROVED,
    "reject": _E.REJECTED,
    "dismiss_approvals": _E.APPROVALS_DISMISSED,
    "complete": _E.LIVE,
    "roll_back": _E.ROLLED_BACK,
    "cancel": _E.CANCELLED,
    "expire": _E.EXPIRED,
    "supersede": _E.SUPERSEDED,
}
# Approvers decide anew when approvals stop counting.
_ASKING = {_E.APPROVAL_REQUESTED, _E.APPROVALS_DISMISSED}
# The ends of a rollout, and what members choose who follow every rollout.
_ENDS = {
    _E.LIVE: _E.ROLLOUT_COMPLETED,
    _E.ROLLED_BACK: _E.ROLLOUT_ROLLED_BACK,
    _E.ROLLOUT_ABORTED: _E.ROLLOUT_ABORTED,
}
_OF_ROLLOUTS = {
    "start": _E.ROLLOUT_STARTED,
    "advance": _E.STEPPED_UP,
    "pause": _E.PAUSED,
    "resume": _E.RESUMED,
    "roll_back": _E.STEPPED_DOWN,
    "step_down": _E.STEPPED_DOWN,
}


def tell_of_promotion(
    *, promotion_id: str, action: str, before: str, instance: str, actor_id: str, actor_name: str, at: str
) -> None:
    """Tell whoever is concerned by one move of a promotion; the same move again tells nobody twice."""
    promotion = (
        Promotion.objects.select_related(
            "project", "release__feature", "deployment__environment", "policy__environment"
        )
        .filter(pk=promotion_id)
        .first()
    )
    event = _OF_PROMOTIONS.get(action)
    if promotion is None or event is None:
        return
    rollout = Rollout.objects.filter(promotion=promotion).first()
    if event is _E.ROLLED_BACK and rollout is not None and rollout.state == RolloutState.ABORTED:
        event = _E.ROLLOUT_ABORTED
    news = News(
        event=event,
        at=at,
        actor=actor_name,
        project=promotion.project.slug,
        url=whole_url("releases:rollout_detail", rollout.pk)
        if rollout
        else whole_url("releases:promotion_detail", promotion.pk),
        settings_url=whole_url("console:notification_settings"),
        environment=promotion.deployment.environment.slug,
        feature=promotion.release.feature.slug,
        release=str(promotion.release),
    )
    tell_people(
        news,
        _concerned(promotion, event, before),
        project_id=promotion.project_id,
        instance=UUID(instance),
        except_for=person(actor_id),
    )


def tell_of_rollout(*, decision_id: str, actor_id: str, actor_name: str, at: str) -> None:
    """Tell whoever wants to hear of one move of a rollout."""
    decision = (
        RolloutDecision.objects.select_related(
            "project", "rollout__candidate__feature", "rollout__deployment__environment"
        )
        .filter(pk=decision_id)
        .first()
    )
    event = _OF_ROLLOUTS.get(decision.kind) if decision else None
    if decision is None or event is None:
        return
    rollout = decision.rollout
    news = News(
        event=event,
        at=at,
        actor=actor_name,
        project=decision.project.slug,
        url=whole_url("releases:rollout_detail", rollout.pk),
        settings_url=whole_url("console:notification_settings"),
        environment=rollout.deployment.environment.slug,
        feature=rollout.candidate.feature.slug,
        release=str(rollout.candidate),
        from_weight_bp=decision.from_weight_bp,
        to_weight_bp=decision.to_weight_bp,
    )
    tell_people(
        news,
        [(event, None)],
        project_id=decision.project_id,
        instance=decision.pk,
        except_for=person(actor_id),
    )


def _concerned(promotion: Promotion, event: PersonalEvent, before: str) -> list[Interest]:
    policy = policy_of(promotion.policy)
    by_policy = event is _E.APPROVED and not policy.quorum  # nobody was asked, so nobody waits for it
    its_time_was_over = event is _E.SUPERSEDED and before == PromotionState.LIVE
    if by_policy or its_time_was_over:
        return []
    requester = frozenset([promotion.requested_by_id] if promotion.requested_by_id else [])
    found: list[Interest] = []
    if event is not _E.APPROVAL_REQUESTED:
        own = _E.ROLLED_BACK if event is _E.ROLLOUT_ABORTED else event
        found.append((own, requester))
    if event in _ASKING and policy.quorum and promotion.state == PromotionState.AWAITING_APPROVAL:
        found.append((_E.APPROVAL_REQUESTED, who_may_approve(promotion, policy)))
    if event in _ENDS:
        found.append((_ENDS[event], None))
    return found
