"""Claims and leases. Nothing here is an audit event; what a person says under a claim is.

A claim raises the item's fence, and whatever comes later must name it. The lease is only a promise not to give the item to
somebody else for a while: who is late, and alone, loses nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from promptstore.core import clock
from promptstore.core.actors import Actor
from promptstore.core.errors import NotAllowed, NotFound
from promptstore.core.models import Membership
from promptstore.core.permissions import require
from reviews.claims import Claim, claim_of
from reviews.errors import LeaseLost
from reviews.models import Label, ReviewItem
from reviews.selectors.queue import claimable
from reviews.services.rubrics import current_rubric
from reviews.states import REVIEW, ReviewState, next_state

LEASE: Final = timedelta(minutes=10)
PERMISSION: Final = "review.label"


def claim_next(*, actor: Actor, project_id: UUID) -> Claim | None:
    """The item that this person works on: the one they hold, else the next that they may judge; `None` if there is none.

    Nobody gets what they labelled or skipped before, or an answer of a prompt that they wrote. Needs `review.label`, and a
    person: keys and the product do not label. Locks the item; items that others are just claiming are passed over.
    """
    user_id = person(actor, PERMISSION, project_id)
    with transaction.atomic():
        lock_person(project_id, user_id)
        return take_next(project_id, user_id)


def heartbeat(*, actor: Actor, project_id: UUID, item_id: UUID, fence: int) -> datetime | None:
    """Extend the lease; returns until when, or `None` where this person's label is there already.

    Raises `LeaseLost` once somebody else has claimed the item, and `NotFound`.
    """
    user_id = person(actor, PERMISSION, project_id)
    with transaction.atomic():
        lock_person(project_id, user_id)
        item = lock_item(project_id, item_id)
        if Label.objects.filter(item=item, annotator_id=user_id, fence=fence).exists():
            return None  # a page that has just been sent
        hold(item, user_id, fence)
        item.lease_expires_at = clock.now() + LEASE
        item.save(update_fields=["state", "lease_expires_at"])
        return item.lease_expires_at


def expire_leases() -> int:
    """Count items whose lease has run out as waiting again; returns how many. Claims do not depend on it."""
    target = next_state(REVIEW, ReviewState.LEASED, "expire")
    return ReviewItem.objects.filter(state=ReviewState.LEASED, lease_expires_at__lte=clock.now()).update(
        state=target, lease_expires_at=None
    )


def person(actor: Actor, permission: str, project_id: UUID) -> UUID:
    """The id of a person who holds the permission; raises `NotAllowed`."""
    require(actor, permission, project_id=project_id)
    if actor.user_id is None:
        raise NotAllowed("Answers are judged by people: sign in, or use a personal token.")
    return actor.user_id


def lock_person(project_id: UUID, user_id: UUID) -> None:
    """One thing at a time for each person. Taken before any item, so that locks are always asked for in one order."""
    Membership.objects.select_for_update(no_key=True).filter(project_id=project_id, user_id=user_id).first()


def lock_item(project_id: UUID, item_id: UUID) -> ReviewItem:
    """The item under its row lock; raises `NotFound`."""
    item = (
        ReviewItem.objects.select_for_update(of=("self",)).filter(pk=item_id, project_id=project_id).first()
    )
    if item is None:
        raise NotFound("There is no such review item in this project.", field="item")
    return item


def hold(item: ReviewItem, user_id: UUID, fence: int) -> None:
    """Make sure that the locked item is this person's under this fence; one whose lease ran out becomes theirs again.

    Raises `LeaseLost`.
    """
    state = ReviewState(item.state)
    mine = item.holder_id == user_id and item.fence == fence
    if not mine or state not in {ReviewState.LEASED, ReviewState.QUEUED}:
        raise LeaseLost(
            "Somebody else has claimed this item since, or it is closed. Nothing was stored; take the next one.",
            field="fence",
        )
    if state is ReviewState.QUEUED:
        item.state = next_state(REVIEW, state, "claim")


def let_go(item: ReviewItem) -> None:
    """End the claim: its fence is worth nothing any more."""
    item.holder = item.lease_expires_at = None


def take_next(project_id: UUID, user_id: UUID) -> Claim | None:
    """`claim_next` for a person who is locked."""
    now = clock.now()
    mine = ReviewItem.objects.filter(project_id=project_id, holder_id=user_id)
    item = (
        mine.select_for_update(of=("self",))
        .filter(state=ReviewState.LEASED, lease_expires_at__gt=now)
        .first()
    )
    if item is None:
        # Who goes on to another item has given up the one before.
        mine.filter(state__in=[ReviewState.QUEUED, ReviewState.LEASED]).update(
            state=ReviewState.QUEUED, holder=None, lease_expires_at=None
        )
        item = (
            claimable(project_id=project_id, user_id=user_id, now=now)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("-priority", "pk")
            .first()
        )
        if item is None:
            return None
        state = ReviewState(item.state)
        if state is ReviewState.LEASED:
            state = next_state(REVIEW, state, "expire")
        item.state = next_state(REVIEW, state, "claim")
        item.holder_id, item.fence, item.leased_at = user_id, item.fence + 1, now
    item.lease_expires_at = now + LEASE
    item.save(update_fields=["state", "holder", "fence", "leased_at", "lease_expires_at"])
    return claim_of(item, current_rubric(project_id))
