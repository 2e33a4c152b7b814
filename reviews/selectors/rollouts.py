"""What the queue holds of one rollout: what is still to judge, and what people found bad."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from reviews.models import ReviewItem
from reviews.rubrics import BAD
from reviews.states import ReviewState


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Answers of a rollout that wait for labels, and those on which somebody has to decide."""

    to_judge: int
    to_decide: int


def unjudged(*, project_id: UUID, rollout_id: UUID) -> Unjudged:
    """What of a rollout is not settled yet, in one query."""
    found = ReviewItem.objects.filter(project_id=project_id, rollout_id=rollout_id).aggregate(
        to_judge=Count("pk", filter=Q(state__in=[ReviewState.QUEUED, ReviewState.LEASED])),
        to_decide=Count("pk", filter=Q(state__in=[ReviewState.ESCALATED, ReviewState.SKIPPED])),
    )
    return Unjudged(**found)


def found_bad(*, project_id: UUID, rollout_id: UUID, question: str) -> QuerySet[ReviewItem, UUID]:
    """The ids of a rollout's inferences that were settled as bad in a question of the rubric."""
    verdicts = {f"verdict__{question}__in": list(BAD[question])}
    return ReviewItem.objects.filter(
        project_id=project_id, rollout_id=rollout_id, state=ReviewState.SETTLED, **verdicts
    ).values_list("inference_id", flat=True)
