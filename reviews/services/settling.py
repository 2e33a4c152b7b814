"""A person's decision on what labels could not settle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import NotAllowed
from reviews.models import Label, ReviewItem
from reviews.rubrics import check_answers
from reviews.services.claims import lock_item, person
from reviews.services.labels import plain_text
from reviews.services.rubrics import current_rubric
from reviews.services.verdicts import settle


def settle_item(
    *, actor: Actor, project_id: UUID, item_id: UUID, answers: Mapping[str, Any], reason: str
) -> ReviewItem:
    """Decide an escalated item, or one that was set aside, with a reason. Needs `review.settle`.

    Who has labelled it, or wrote the prompt, does not decide it: `NotAllowed`. Raises `TransitionRefused` in any other state,
    `InvalidInput` and `NotFound`. Locks the item.
    """
    user_id = person(actor, "review.settle", project_id)
    why = plain_text(reason, field="reason", required=True)
    with transaction.atomic():
        item = lock_item(project_id, item_id)
        if Label.objects.filter(item=item, annotator_id=user_id).exists():
            raise NotAllowed("You have labelled this answer; somebody else decides it.")
        if str(user_id) in item.authors:
            raise NotAllowed("You wrote the prompt behind this answer; somebody else decides it.")
        settle(item, "decide", check_answers(current_rubric(project_id).body, answers), by=user_id)
        item.settled_because = why
        item.save(update_fields=["state", "verdict", "settled_at", "settled_by", "settled_because"])
        audit.record(
            actor=actor,
            action="review.settled",
            target=item,
            project_id=project_id,
            after={"state": item.state, "verdict": item.verdict},
            reason=why,
        )
    return item
