"""Reads of the queue: what waits, for whom, and how far a person has come today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from promptstore.core import clock
from promptstore.core.errors import NotFound
from reviews.models import Label, ReviewItem, Rubric, Skip
from reviews.rubrics import BUILT_IN, ShownRubric
from reviews.states import ReviewState

# The labels of an item are shown once nobody is to add one unaware of them.
CLOSED = frozenset({ReviewState.ESCALATED, ReviewState.SKIPPED, ReviewState.SETTLED})
# More than this many waiting items are as good as uncounted.
MOST_COUNTED = 999


@dataclass(frozen=True, slots=True)
class Day:
    """A person's progress: labels given since midnight UTC, and items that they could still judge."""

    done: int
    waiting: int

    @property
    def all(self) -> int:
        return self.done + self.waiting


def claimable(*, project_id: UUID, user_id: UUID, now: datetime) -> QuerySet[ReviewItem]:
    """What this person may be given: waiting or with a lease that ran out, not judged or skipped by them, not of their prompts."""
    waiting = Q(state=ReviewState.QUEUED) | Q(state=ReviewState.LEASED, lease_expires_at__lte=now)
    return (
        ReviewItem.objects.filter(waiting, project_id=project_id, state__in=["queued", "leased"])
        .exclude(authors__contains=[str(user_id)])
        .exclude(Exists(Label.objects.filter(item=OuterRef("pk"), annotator_id=user_id)))
        .exclude(Exists(Skip.objects.filter(item=OuterRef("pk"), annotator_id=user_id)))
    )


def held_by(*, project_id: UUID, user_id: UUID) -> ReviewItem | None:
    """The item that this person has claimed and may still send, or none."""
    return (
        ReviewItem.objects.select_related("feature")
        .filter(project_id=project_id, holder_id=user_id, state=ReviewState.LEASED)
        .first()
    )


def day_of(*, project_id: UUID, user_id: UUID) -> Day:
    """How far this person has come today. What they hold counts as waiting."""
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    done = Label.objects.filter(project_id=project_id, annotator_id=user_id, created_at__gte=midnight).count()
    open_items = claimable(project_id=project_id, user_id=user_id, now=now).order_by()
    held = held_by(project_id=project_id, user_id=user_id)
    holds = held is not None and held.lease_expires_at is not None and held.lease_expires_at > now
    return Day(done=done, waiting=open_items[:MOST_COUNTED].count() + holds)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many items wait, and since when the first of them was sampled; `None` where none does."""

    count: int
    oldest_at: datetime | None


def waiting_to_judge(*, project_id: UUID, user_id: UUID) -> Backlog:
    """What this person could be given now, in one query."""
    return _backlog(claimable(project_id=project_id, user_id=user_id, now=clock.now()))


def waiting_to_decide(*, project_id: UUID, user_id: UUID) -> Backlog:
    """What is escalated and was neither labelled by this person nor made from a prompt of theirs, in one query."""
    found = ReviewItem.objects.filter(project_id=project_id, state=ReviewState.ESCALATED)
    return _backlog(
        found.exclude(authors__contains=[str(user_id)]).exclude(
            Exists(Label.objects.filter(item=OuterRef("pk"), annotator_id=user_id))
        )
    )


def _backlog(items: QuerySet[ReviewItem]) -> Backlog:
    found = items.aggregate(count=Count("pk"), oldest_at=Min("sampled_at"))
    return Backlog(**found)


def queue_counts(*, project_id: UUID) -> Mapping[str, int]:
    """How many items are in each state, in one query."""
    found = ReviewItem.objects.filter(project_id=project_id)
    return found.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in ReviewState})


def item_list(*, project_id: UUID, state: str = "", feature: str = "") -> QuerySet[ReviewItem]:
    """A project's items, newest first; empty filters filter nothing. Texts are left out."""
    found = ReviewItem.objects.filter(project_id=project_id).select_related("feature", "environment")
    if state:
        found = found.filter(state=state)
    if feature:
        found = found.filter(feature__slug=feature)
    return found.defer("output", "variables").order_by("-id")


def item_by_id(*, project_id: UUID, item_id: UUID) -> ReviewItem:
    """One item of the project; raises `NotFound`."""
    found = (
        ReviewItem.objects.select_related("feature", "environment", "settled_by")
        .filter(pk=item_id, project_id=project_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such review item in this project.", field="item")
    return found


def labels_of(item: ReviewItem) -> list[Label]:
    """The item's labels in their order; none while somebody may still be asked, so that nobody judges knowing them."""
    if item.state not in CLOSED:
        return []
    return list(item.labels.select_related("annotator", "rubric").order_by("position"))


def rubric_shown(*, project_id: UUID) -> ShownRubric:
    """The latest rubric of the project; before the first claim, what it will be."""
    latest = Rubric.objects.filter(project_id=project_id).order_by("-version").first()
    return (
        ShownRubric(version=latest.version, body=latest.body)
        if latest
        else ShownRubric(version=1, body=BUILT_IN)
    )
