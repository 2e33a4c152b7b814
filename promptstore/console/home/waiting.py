"""What waits for me? Each entry says what to do and leads to where it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from incidents.selectors import incident_list
from incidents.states import IncidentState
from promptstore.core.actors import Actor
from promptstore.core.http.links import page_url
from promptstore.core.permissions import allows
from registry.models import PromptDraft
from releases.models import Promotion
from releases.selectors.places import promotions
from releases.selectors.policies import policy_of
from releases.services.votes import counted_voters, why_not_vote
from releases.states import PromotionState
from reviews.selectors import waiting_to_decide, waiting_to_judge
from reviews.states import ReviewState

LIMIT = 10


@dataclass(frozen=True)
class Waiting:
    """`tone` is the console's: `harm` for what hurts somebody, `wait` for what waits."""

    text: str
    detail: str
    url: str
    icon: str
    tone: str
    at: datetime


def waiting_for(actor: Actor, project_id: UUID) -> list[Waiting]:
    """Incidents to acknowledge, then approvals, blocked promotions and drafts of one's own, at most ten of each; then reviews."""
    return [
        *_incidents(actor, project_id),
        *_approvals(actor, project_id),
        *_blocked(actor, project_id),
        *_drafts(actor, project_id),
        *_reviews(actor, project_id),
    ]


def _incidents(actor: Actor, project_id: UUID) -> Iterator[Waiting]:
    if not allows(actor, "incident.acknowledge", project_id=project_id):
        return
    for row in incident_list(project_id=project_id, state=IncidentState.OPEN).defer("evidence")[:LIMIT]:
        yield Waiting(
            text=f"Acknowledge {row.severity}: {row.title}",
            detail=f"{row.feature.slug} in {row.environment.slug}",
            url=page_url("incidents:incident_detail", row.pk),
            icon="incident",
            tone="harm",
            at=row.created_at,
        )


def _approvals(actor: Actor, project_id: UUID) -> Iterator[Waiting]:
    rows = promotions().filter(project_id=project_id, state=PromotionState.AWAITING_APPROVAL)
    for row in rows.order_by("id")[:LIMIT]:
        policy = policy_of(row.policy)
        if why_not_vote(actor, row, policy) or actor.user_id in counted_voters(row, policy):
            continue
        asker = f"asked by {row.requested_by}" if row.requested_by else "asked by a service key"
        yield _promotion(row, f"Approve or reject {row.release} to {row.deployment.environment.slug}", asker)


def _blocked(actor: Actor, project_id: UUID) -> Iterator[Waiting]:
    if actor.user_id is None:
        return
    rows = promotions().filter(
        project_id=project_id, state=PromotionState.BLOCKED, requested_by_id=actor.user_id
    )
    for row in rows.order_by("id")[:LIMIT]:
        text = f"Look at why {row.release} to {row.deployment.environment.slug} is blocked"
        yield _promotion(row, text, row.outcome)


def _promotion(row: Promotion, text: str, detail: str) -> Waiting:
    return Waiting(
        text=text,
        detail=detail,
        url=reverse("releases:promotion_detail", args=[row.pk]),
        icon="user-question" if row.state == PromotionState.AWAITING_APPROVAL else "shield-x",
        tone="wait",
        at=row.created_at,
    )


def _drafts(actor: Actor, project_id: UUID) -> Iterator[Waiting]:
    if actor.user_id is None or not allows(actor, "prompt.publish", project_id=project_id):
        return
    # `contributors` is emptied on publish, so a draft that names me holds unpublished words of mine.
    rows = PromptDraft.objects.select_related("prompt").filter(
        project_id=project_id, contributors__contains=[actor.id], prompt__archived_at__isnull=True
    )
    for row in rows.order_by("-updated_at")[:LIMIT]:
        yield Waiting(
            text=f"Publish your draft of {row.prompt.name}",
            detail=f"after {row.base_version}" if row.base_version else "its first version",
            url=page_url("registry:prompt_editor", row.prompt.name),
            icon="edit",
            tone="neutral",
            at=row.updated_at,
        )


def _reviews(actor: Actor, project_id: UUID) -> Iterator[Waiting]:
    """One entry for what this person may judge, and one for what they may decide."""
    if actor.user_id is not None and allows(actor, "review.label", project_id=project_id):
        found = waiting_to_judge(project_id=project_id, user_id=actor.user_id)
        if found.oldest_at is not None:
            yield Waiting(
                text=f"Judge {_answers(found.count)} of the live rollouts",
                detail="blind to the release that made them",
                url=reverse("reviews:next"),
                icon="tag",
                tone="neutral",
                at=found.oldest_at,
            )
    if actor.user_id is not None and allows(actor, "review.settle", project_id=project_id):
        found = waiting_to_decide(project_id=project_id, user_id=actor.user_id)
        if found.oldest_at is not None:
            yield Waiting(
                text=f"Decide on {_answers(found.count)} that could not be settled by labels",
                detail="escalated",
                url=reverse("reviews:item_list") + f"?state={ReviewState.ESCALATED}",
                icon="user-question",
                tone="wait",
                at=found.oldest_at,
            )


def _answers(count: int) -> str:
    return "one answer" if count == 1 else f"{count:,} answers"
