from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit, machines, outbox
from promptstore.core.actors import Actor, ActorKind, system
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed
from promptstore.core.models import Membership
from promptstore.core.permissions import Role, require, roles_of
from registry.models import FeatureApprover
from releases.models import Evidence, Promotion, Vote
from releases.policies import Policy
from releases.selectors.policies import policy_of
from releases.services.locks import lock_promotion
from releases.services.moves import move_promotion
from releases.states import PROMOTION, PromotionState

_CONTROLLER = system("controller")


def approve_promotion(
    *,
    actor: Actor,
    project_id: UUID,
    promotion_id: UUID,
    release_digest: str,
    evidence_digest: str,
    comment: str = "",
) -> Promotion:
    """Vote for a promotion; the vote that completes the quorum approves it.

    The digests are those the voter saw; when they are no longer current nothing happens and `Conflict` says why. Voting twice
    counts once. Authors of what is new in the release, its composer and the requester may not vote.
    """
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
        policy = policy_of(promotion.policy)
        _require_voter(actor, promotion, policy)
        machines.apply(PROMOTION, PromotionState(promotion.state), "vote")
        evidence = _require_current(promotion, release_digest, evidence_digest)
        created = _cast(actor, promotion, evidence, Vote.Choice.APPROVE, comment)
        if created:
            audit.record(
                actor=actor,
                action="promotion.vote_cast",
                target=promotion,
                project_id=project_id,
                after=_binding(promotion, evidence),
                reason=comment,
            )
        if has_quorum(promotion, policy):
            move_promotion(actor, promotion, "approve", after={"quorum": policy.quorum})
            outbox.emit("promotion.start", {"promotion_id": str(promotion.id)})
    return promotion


def reject_promotion(*, actor: Actor, project_id: UUID, promotion_id: UUID, reason: str) -> Promotion:
    """Refuse a promotion, also after the quorum, as long as it has not started. One rejection is enough."""
    if not reason.strip():
        raise InvalidInput("Say why, so that the next attempt can do better.", field="reason")
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
        if actor.kind is not ActorKind.USER or not _may_vote(
            actor.user_id, promotion, policy_of(promotion.policy)
        ):
            require(actor, "promotion.reject", project_id=project_id)
        machines.apply(PROMOTION, PromotionState(promotion.state), "reject")
        evidence = current_evidence(promotion)
        if evidence is not None:
            _cast(actor, promotion, evidence, Vote.Choice.REJECT, reason)
        move_promotion(actor, promotion, "reject", outcome=reason)
    return promotion


def dismiss_approvals(promotion: Promotion, *, reason: str) -> None:
    """Votes given so far are bound to something that changed; say so and wait for new ones."""
    move_promotion(_CONTROLLER, promotion, "dismiss_approvals", reason=reason)


def current_evidence(promotion: Promotion) -> Evidence | None:
    """The evidence of the promotion's current round, if its checks are through."""
    return Evidence.objects.filter(promotion=promotion, check_round=promotion.check_round).first()


def has_quorum(promotion: Promotion, policy: Policy) -> bool:
    """Whether enough people who may approve now have approved exactly what is in force now."""
    return len(counted_voters(promotion, policy)) >= max(policy.quorum, 1)


def counted_voters(promotion: Promotion, policy: Policy) -> list[UUID]:
    """The distinct people whose approval counts at this moment."""
    evidence = current_evidence(promotion)
    if evidence is None or evidence.verdict != "pass":
        return []
    votes = Vote.objects.filter(
        promotion=promotion, choice=Vote.Choice.APPROVE, **_binding(promotion, evidence)
    )
    people = votes.values_list("user_id", flat=True).distinct()
    return [
        person for person in people if _may_vote(person, promotion, policy) and not _is_own(person, promotion)
    ]


def who_may_approve(promotion: Promotion, policy: Policy) -> frozenset[UUID]:
    """Everybody whose approval would count at this moment: the same rule as `why_not_vote`, for all people at once."""
    members = Membership.objects.filter(project_id=promotion.project_id, user__is_active=True)
    by_role = members.filter(roles__overlap=[role.value for role in policy.approver_roles])
    appointed = FeatureApprover.objects.filter(
        feature_id=promotion.deployment.feature_id, user__in=members.exclude(roles=[]).values("user")
    )
    people = {*by_role.values_list("user_id", flat=True), *appointed.values_list("user_id", flat=True)}
    return frozenset(person for person in people if not _is_own(person, promotion))


def why_not_vote(actor: Actor, promotion: Promotion, policy: Policy) -> str:
    """Why this person may not approve, as a sentence; empty when they may."""
    if actor.kind is not ActorKind.USER:
        return "Only people approve; a key cannot."
    if not _may_vote(actor.user_id, promotion, policy):
        roles = " or ".join(sorted(role.value for role in policy.approver_roles))
        return f"An approval needs the role {roles}, or an appointment as this feature's approver."
    if _is_own(actor.user_id, promotion):
        return "You wrote, composed or requested this; somebody else has to approve it."
    return ""


def _require_voter(actor: Actor, promotion: Promotion, policy: Policy) -> None:
    reason = why_not_vote(actor, promotion, policy)
    if reason:
        own = _may_vote(actor.user_id, promotion, policy) if actor.user_id else False
        raise NotAllowed(reason, code="own_change" if own else "not_allowed")


def _may_vote(user_id: UUID | None, promotion: Promotion, policy: Policy) -> bool:
    if user_id is None:
        return False
    roles: frozenset[Role] = roles_of(user_id=user_id, project_id=promotion.project_id)
    appointed = FeatureApprover.objects.filter(
        feature_id=promotion.deployment.feature_id, user_id=user_id, user__is_active=True
    )
    return bool(roles & policy.approver_roles) or (bool(roles) and appointed.exists())


def _is_own(user_id: UUID | None, promotion: Promotion) -> bool:
    return str(user_id) in promotion.release.contributors or user_id == promotion.requested_by_id


def _require_current(promotion: Promotion, release_digest: str, evidence_digest: str) -> Evidence:
    evidence = current_evidence(promotion)
    if evidence is None or evidence.digest != evidence_digest or promotion.release.digest != release_digest:
        raise Conflict(
            "The checks ran again since you looked. Look at the new results, then decide.",
            code="stale_approval",
            field="evidence_digest",
        )
    return evidence


def _binding(promotion: Promotion, evidence: Evidence) -> dict[str, str]:
    return {
        "release_digest": promotion.release.digest,
        "evidence_digest": evidence.digest,
        "policy_digest": promotion.policy.digest,
        "plan_digest": promotion.plan_digest,
    }


def _cast(actor: Actor, promotion: Promotion, evidence: Evidence, choice: str, comment: str) -> bool:
    assert actor.user_id is not None, "only people vote"
    try:
        with transaction.atomic():
            Vote.objects.create(
                project_id=promotion.project_id,
                promotion=promotion,
                user_id=actor.user_id,
                choice=choice,
                comment=comment,
                **_binding(promotion, evidence),
            )
    except IntegrityError:
        return False  # this person has voted on exactly this already
    return True
