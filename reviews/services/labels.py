"""What people say about an item, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from promptstore.core import audit, clock
from promptstore.core.actors import Actor, system
from promptstore.core.errors import InvalidInput
from reviews.claims import Claim
from reviews.errors import AlreadyLabelled
from reviews.models import Label, ReviewItem
from reviews.rubrics import check_answers, majority
from reviews.services.claims import PERMISSION, hold, let_go, lock_item, lock_person, person, take_next
from reviews.services.rubrics import rubric_of
from reviews.services.verdicts import settle
from reviews.states import REVIEW, ReviewState, next_state

MAX_TEXT: Final = 2_000
_REVIEWS: Final = system("reviews")


@dataclass(frozen=True, slots=True)
class Submitted:
    """The label that counts, and the next claim where one was asked for and something waits."""

    label: Label
    next: Claim | None


def submit_label(
    *,
    actor: Actor,
    project_id: UUID,
    item_id: UUID,
    fence: int,
    rubric: int,
    answers: Mapping[str, Any],
    comment: str = "",
    claim_another: bool = False,
) -> Submitted:
    """Label the item that this person holds under `fence`; claim the next in the same transaction if asked to.

    The same label sent twice counts once. The last label that was wanted settles the item by majority, or escalates it.
    Raises `LeaseLost`, `AlreadyLabelled`, `InvalidInput` and `NotFound`. Locks the person, then the item.
    """
    user_id = person(actor, PERMISSION, project_id)
    said = plain_text(comment, field="comment")
    with transaction.atomic():
        lock_person(project_id, user_id)
        item = lock_item(project_id, item_id)
        seen = rubric_of(project_id, rubric)
        chosen = check_answers(seen.body, answers)
        label = Label.objects.filter(item=item, annotator_id=user_id).first()
        if label is None:
            hold(item, user_id, fence)
            label = Label.objects.create(
                project_id=project_id,
                item=item,
                rubric=seen,
                annotator_id=user_id,
                position=item.labels.count() + 1,
                answers=chosen,
                comment=said,
                fence=fence,
                content_digest=item.content_digest,
                took_ms=_since_claim_ms(item),
            )
            _labelled(actor, item, label)
        elif (label.answers, label.comment, label.fence) != (chosen, said, fence):
            raise AlreadyLabelled("You have judged this answer before. A label stays as it is.")
        claim = take_next(project_id, user_id) if claim_another else None
    return Submitted(label=label, next=claim)


def plain_text(value: str, *, field: str, required: bool = False) -> str:
    """What a person wrote, without white space around it; raises `InvalidInput`."""
    cleaned = value.strip()
    if required and not cleaned:
        raise InvalidInput("Say why, in a sentence.", field=field)
    if len(cleaned) > MAX_TEXT or "\x00" in cleaned:
        raise InvalidInput(f"Use at most {MAX_TEXT:,} characters of plain text.", field=field)
    return cleaned


def _since_claim_ms(item: ReviewItem) -> int:
    began = item.leased_at or clock.now()
    return max(0, round((clock.now() - began).total_seconds() * 1_000))


def _labelled(actor: Actor, item: ReviewItem, label: Label) -> None:
    """Move the item on. The event names what was seen, not what was said of it: others are still to judge, unaware."""
    item.state = next_state(REVIEW, ReviewState(item.state), "label")
    audit.record(
        actor=actor,
        action="review.labelled",
        target=item,
        project_id=item.project_id,
        after={
            "label": str(label.pk),
            "labels": f"{label.position} of {item.overlap}",
            "rubric": label.rubric.version,
            "content": label.content_digest,
        },
    )
    let_go(item)
    if label.position < item.overlap:
        item.state = next_state(REVIEW, item.state, "ask_again")
        item.priority += 1  # what is half judged comes first
    else:
        _conclude(item)
    item.save(
        update_fields=[
            "state", "priority", "holder", "lease_expires_at", "verdict", "settled_at", "escalated_because"
        ]
    )  # fmt: skip


def _conclude(item: ReviewItem) -> None:
    verdict = majority([label.answers for label in item.labels.order_by("position")])
    if verdict is None:
        item.state = next_state(REVIEW, ReviewState(item.state), "disagree")
        item.escalated_because = "The labels disagree."
    else:
        settle(item, "settle", verdict)
    audit.record(
        actor=_REVIEWS,
        action=f"review.{item.state}",
        target=item,
        project_id=item.project_id,
        after={"state": item.state, "verdict": verdict},
        reason=item.escalated_because,
    )
