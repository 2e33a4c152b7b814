"""A rollout is over: nobody is asked about its answers any more."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import system
from promptstore.core.models import Project
from reviews.models import EndedRollout, ReviewItem
from reviews.states import REVIEW, ReviewState, next_state

_REVIEWS: Final = system("reviews")
OPEN: Final = [row.source for row in REVIEW.transitions if row.action == "withdraw"]
"""The states out of which an item is withdrawn."""


def withdraw_items(*, project_id: UUID, rollout_id: UUID, reason: str) -> int:
    """Take a rollout's unjudged items out of the queue and let no more of its answers in; returns how many were taken out.

    Labels that were given stay. Locks those items; a caller who holds a deployment's lock asks for it first.
    """
    with transaction.atomic():
        EndedRollout.objects.bulk_create(
            [EndedRollout(project_id=project_id, rollout_id=rollout_id)], ignore_conflicts=True
        )
        items = list(
            ReviewItem.objects.select_for_update(of=("self",))
            .filter(project_id=project_id, rollout_id=rollout_id, state__in=OPEN)
            .order_by("pk")
        )
        for item in items:
            item.state = next_state(REVIEW, ReviewState(item.state), "withdraw")
            item.holder = item.lease_expires_at = None
        ReviewItem.objects.bulk_update(items, ["state", "holder", "lease_expires_at"], batch_size=500)
        if items:
            audit.record(
                actor=_REVIEWS,
                action="review.withdrawn",
                target=Project.objects.get(pk=project_id),
                project_id=project_id,
                after={"rollout": str(rollout_id), "items": len(items)},
                reason=reason,
            )
    return len(items)
