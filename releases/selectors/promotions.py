"""A promotion as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import allows
from releases.models import Evidence, Promotion
from releases.policies import Policy
from releases.selectors.gates import GateView, gates_of
from releases.selectors.pairs import Pair, sample_pairs
from releases.selectors.places import promotions
from releases.selectors.policies import policy_of
from releases.selectors.steppers import StepView, planned_steps
from releases.selectors.turns import approvals_missing, headline, whose_turn
from releases.selectors.votes import VoteView, votes_of
from releases.services.rollouts import why_not_now
from releases.services.votes import current_evidence, why_not_vote
from releases.states import NOT_STARTED, PROMOTION, PromotionState


@dataclass(frozen=True)
class PromotionView:
    """All that decides about a promotion, for one person: `actions` they may take now, `why_not_vote` if they may not."""

    promotion: Promotion
    policy: Policy
    evidence: Evidence | None
    gates: tuple[GateView, ...]
    votes: tuple[VoteView, ...]
    approvals: int
    missing: int
    headline: str
    turn: str
    steps: tuple[StepView, ...]
    actions: frozenset[str]
    why_not_vote: str
    has_voted: bool
    pairs: tuple[Pair, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it can still be decided."""
        return self.promotion.state in NOT_STARTED

    @property
    def has_other_actions(self) -> bool:
        """Whether this person may do anything but decide."""
        return bool(self.actions & {"recheck", "plan", "cancel"})

    @property
    def can_vote(self) -> bool:
        """Whether this person's approval is asked for and would count."""
        waiting = self.promotion.state == PromotionState.AWAITING_APPROVAL
        return waiting and self.evidence is not None and not self.why_not_vote and not self.has_voted


def promotion_view(actor: Actor, promotion: Promotion) -> PromotionView:
    """Everything about `promotion` (from `places.promotions`) as `actor` sees it."""
    policy = policy_of(promotion.policy)
    evidence = current_evidence(promotion)
    votes = votes_of(promotion, policy, evidence)
    approvals = sum(vote.status == "approved" for vote in votes)
    holds = why_not_now(promotion.deployment) if promotion.state == PromotionState.APPROVED else ""
    return PromotionView(
        promotion=promotion,
        policy=policy,
        evidence=evidence,
        gates=tuple(gates_of(promotion, policy, evidence)),
        votes=tuple(votes),
        approvals=approvals,
        missing=approvals_missing(policy, approvals),
        headline=headline(promotion, policy, approvals),
        turn=whose_turn(promotion, policy, approvals, holds=holds),
        steps=tuple(planned_steps(promotion.plan)),
        actions=_actions(actor, promotion),
        why_not_vote=why_not_vote(actor, promotion, policy),
        has_voted=any(vote.user_id == actor.user_id and vote.status == "approved" for vote in votes),
        pairs=_pairs(actor, promotion),
    )


def _pairs(actor: Actor, promotion: Promotion) -> tuple[Pair, ...]:
    """A few old and new answers, for whoever may read what users got."""
    rollout = getattr(promotion, "rollout", None)
    if rollout is None or not allows(actor, "inference.read", project_id=promotion.project_id):
        return ()
    return tuple(sample_pairs(rollout, _SAMPLE_PAIRS))


def _actions(actor: Actor, promotion: Promotion) -> frozenset[str]:
    """What the state offers and the actor's roles allow. Approving also depends on `why_not_vote`."""
    names = {
        row.action
        for row in PROMOTION.outgoing(PromotionState(promotion.state))
        if row.permission in _ASKED and allows(actor, row.permission, project_id=promotion.project_id)
    }
    if promotion.requested_by_id == actor.user_id and promotion.state in NOT_STARTED:
        names.add("cancel")
    if promotion.state in NOT_STARTED and allows(actor, "promotion.request", project_id=promotion.project_id):
        names.add("plan")
    return frozenset(names)


_SAMPLE_PAIRS = 3
_ASKED = {"promotion.request", "promotion.cancel", "promotion.reject", "promotion.approve"}


def promotion_list(
    *, project_id: UUID, state: str = "", environment: str = "", feature: str = ""
) -> QuerySet[Promotion]:
    """A project's promotions. `state` is a state, or `open` for what is not decided; empty filters filter nothing."""
    rows = promotions().filter(project_id=project_id)
    if state == "open":
        rows = rows.filter(state__in=[one.value for one in NOT_STARTED])
    elif state:
        if state not in set(PromotionState):
            raise InvalidInput(f"Use open or one of: {', '.join(PromotionState)}.", field="state")
        rows = rows.filter(state=state)
    if environment:
        rows = rows.filter(deployment__environment__slug=environment)
    if feature:
        rows = rows.filter(deployment__feature__slug=feature)
    return rows


def promotion_etag(actor: Actor, promotion: Promotion) -> str:
    """Changes with everything that the promotion's live fragment shows: state, round, votes, plan, policy, weight."""
    rollout = getattr(promotion, "rollout", None)
    parts = (
        promotion.pk,
        promotion.state,
        promotion.check_round,
        promotion.policy.number,
        promotion.plan_digest[-12:],
        promotion.votes.count(),
        f"{rollout.state}{rollout.weight_bp}-{rollout.step_index}" if rollout else "",
        actor.id,
    )
    return '"' + "-".join(str(part) for part in parts) + '"'
