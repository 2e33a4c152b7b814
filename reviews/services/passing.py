"""Passing an item on: to others, or to who may decide."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import Actor, system
from promptstore.core.errors import InvalidInput
from promptstore.core.models import Membership
from promptstore.core.permissions import TABLE
from reviews.claims import Claim
from reviews.models import Label, ReviewItem, Skip
from reviews.services.claims import PERMISSION, hold, let_go, lock_item, lock_person, person, take_next
from reviews.services.labels import plain_text
from reviews.states import REVIEW, ReviewState, SkipReason, next_state

MOST_SKIPS: Final = 3
_REVIEWS: Final = system("reviews")


def skip_item(
    *,
    actor: Actor,
    project_id: UUID,
    item_id: UUID,
    fence: int,
    reason: str = SkipReason.NOT_MY_SUBJECT,
    claim_another: bool = False,
) -> Claim | None:
    """Pass the item on to others; this person is not asked about it again. Returns the next claim if asked for.

    Once three people have skipped it, or nobody is left to ask, it is set aside for who may settle. Raises `LeaseLost`,
    `InvalidInput` and `NotFound`.
    """
    user_id = person(actor, PERMISSION, project_id)
    if reason not in frozenset(SkipReason):
        raise InvalidInput(f"Use one of {', '.join(SkipReason)}.", field="reason")
    with transaction.atomic():
        lock_person(project_id, user_id)
        item = lock_item(project_id, item_id)
        hold(item, user_id, fence)
        item.state = next_state(REVIEW, ReviewState(item.state), "skip")
        let_go(item)
        Skip.objects.create(project_id=project_id, item=item, annotator_id=user_id, reason=reason)
        audit.record(
            actor=actor,
            action="review.skipped",
            target=item,
            project_id=project_id,
            after={"state": item.state},
            reason=reason,
        )
        if item.skips.count() >= MOST_SKIPS or not _somebody_left(item):
            _set_aside(item)
        item.save(update_fields=["state", "holder", "lease_expires_at", "escalated_because"])
        return take_next(project_id, user_id) if claim_another else None


def escalate_item(
    *,
    actor: Actor,
    project_id: UUID,
    item_id: UUID,
    fence: int,
    reason: str,
    claim_another: bool = False,
) -> Claim | None:
    """Hand the item to who may settle, with a reason. Returns the next claim if asked for.

    Raises `LeaseLost`, `InvalidInput` and `NotFound`.
    """
    user_id = person(actor, PERMISSION, project_id)
    why = plain_text(reason, field="reason", required=True)
    with transaction.atomic():
        lock_person(project_id, user_id)
        item = lock_item(project_id, item_id)
        hold(item, user_id, fence)
        item.state = next_state(REVIEW, ReviewState(item.state), "escalate")
        item.escalated_because = why
        let_go(item)
        item.save(update_fields=["state", "holder", "lease_expires_at", "escalated_because"])
        audit.record(
            actor=actor,
            action="review.escalated",
            target=item,
            project_id=project_id,
            after={"state": item.state},
            reason=why,
        )
        return take_next(project_id, user_id) if claim_another else None


def _set_aside(item: ReviewItem) -> None:
    item.state = next_state(REVIEW, ReviewState(item.state), "set_aside")
    item.escalated_because = "Everybody who was asked skipped it."
    audit.record(
        actor=_REVIEWS,
        action="review.set_aside",
        target=item,
        project_id=item.project_id,
        after={"state": item.state},
        reason=item.escalated_because,
    )


def _somebody_left(item: ReviewItem) -> bool:
    """Whether a member could still be given the item."""
    roles = [role.value for role in TABLE[PERMISSION]]
    done = {
        *Label.objects.filter(item=item).values_list("annotator_id", flat=True),
        *Skip.objects.filter(item=item).values_list("annotator_id", flat=True),
        *(UUID(author) for author in item.authors),
    }
    members = Membership.objects.filter(
        project_id=item.project_id, roles__overlap=roles, user__is_active=True
    )
    return members.exclude(user_id__in=done).exists()
