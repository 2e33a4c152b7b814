"""Who voted, and whether it still counts: a vote is bound to exactly what the voter saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from releases.models import Evidence, Promotion, Vote
from releases.policies import Policy
from releases.services.votes import counted_voters
from releases.states import PromotionState


@dataclass(frozen=True)
class VoteView:
    """One person's decision. `why_not` says why an approval does not count (any more); empty when it does."""

    user_id: UUID
    person: str
    choice: str
    at: datetime
    comment: str
    why_not: str

    @property
    def status(self) -> str:
        """A key of the console's `approval` statuses."""
        if self.choice == Vote.Choice.REJECT:
            return "rejected"
        return "dismissed" if self.why_not else "approved"


def votes_of(promotion: Promotion, policy: Policy, evidence: Evidence | None) -> list[VoteView]:
    """All votes, oldest first, each with what became of it."""
    rows = list(promotion.votes.select_related("user").order_by("id"))
    if not rows:
        return []
    is_open = promotion.state in {PromotionState.AWAITING_APPROVAL, PromotionState.APPROVED}
    counted = set(counted_voters(promotion, policy)) if is_open else {row.user_id for row in rows}
    return [
        VoteView(
            user_id=row.user_id,
            person=str(row.user),
            choice=row.choice,
            at=row.created_at,
            comment=row.comment,
            why_not=_why_not(row, promotion, evidence, may_vote=row.user_id in counted),
        )
        for row in rows
    ]


def _why_not(vote: Vote, promotion: Promotion, evidence: Evidence | None, *, may_vote: bool) -> str:
    if vote.choice == Vote.Choice.REJECT:
        return ""
    changed = []
    if evidence is None or vote.evidence_digest != evidence.digest:
        changed.append("the checks ran again")
    if vote.policy_digest != promotion.policy.digest:
        changed.append("the policy changed")
    if vote.plan_digest != promotion.plan_digest:
        changed.append("the plan changed")
    if changed:
        return f"No longer counts: {' and '.join(changed)} after this vote."
    return "" if may_vote else f"Does not count: {vote.user} may not approve this (any more)."
