"""What enters the queue by itself, and what leaves it unjudged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import transaction

from promptstore.core import audit, clock
from promptstore.core.actors import system
from promptstore.core.digests import digest_bytes
from promptstore.core.models import Project
from registry.models import Feature, PromptVersion
from reviews.models import ReviewItem
from reviews.models.items import MOST_LABELS
from reviews.sampling import LOOK_BACK, LiveRollout, live_rollouts, people_asked, sample
from reviews.states import REVIEW, ReviewState, next_state
from telemetry.models import Inference

_REVIEWS = system("reviews")
_ARM = ReviewItem.Arm
_MAY_BE_WITHDRAWN = [row.source for row in REVIEW.transitions if row.action == "withdraw"]


def enqueue_samples() -> int:
    """Take the share of every live rollout's answers into the queue, within the day's budget; returns how many.

    For the timetable. Each rollout gets as many answers of stable as of the candidate, in an order that tells nothing of the
    arm. What is in the queue already is never added again. Projects that another run is at are passed over.
    """
    if settings.REVIEW_SHARE_BP <= 0:
        return 0
    rollouts = live_rollouts(since=clock.now() - LOOK_BACK)
    return sum(
        _enqueue(project_id, list(group))
        for project_id, group in groupby(rollouts, key=lambda rollout: rollout.project_id)
    )


def withdraw_items(*, project_id: UUID, rollout_id: UUID, reason: str) -> int:
    """Take a rollout's unjudged items out of the queue; returns how many. Labels that were given stay. Locks those items."""
    with transaction.atomic():
        items = list(
            ReviewItem.objects.select_for_update(of=("self",))
            .filter(project_id=project_id, rollout_id=rollout_id, state__in=_MAY_BE_WITHDRAWN)
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


def _enqueue(project_id: UUID, rollouts: list[LiveRollout]) -> int:
    with transaction.atomic():
        # Two runs at once would each spend the rest of the budget. A weak lock: rows of the project are written meanwhile.
        locked = Project.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=project_id)
        if not locked.exists():
            return 0
        left = settings.REVIEW_BUDGET_PER_DAY - _taken_today(project_id)
        added = 0
        for waiting, rollout in enumerate(rollouts):
            # What one rollout leaves over is there for those after it.
            part = (left - added) // (len(rollouts) - waiting)
            added += _enqueue_rollout(rollout, part)
    return added


def _taken_today(project_id: UUID) -> int:
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return ReviewItem.objects.filter(
        project_id=project_id, sampled_at__gte=midnight, sampled_at__lt=midnight + timedelta(days=1)
    ).count()


def _enqueue_rollout(rollout: LiveRollout, most: int) -> int:
    feature = Feature.objects.filter(project_id=rollout.project_id, slug=rollout.feature).first()
    if feature is None:
        return 0
    since, share_bp = clock.now() - LOOK_BACK, settings.REVIEW_SHARE_BP
    arms = ReviewItem.objects.filter(project_id=rollout.project_id, rollout_id=rollout.rollout_id)
    known = Counter(arms.values_list("arm", flat=True))
    chosen = sample(rollout, _ARM.CANDIDATE, since=since, share_bp=share_bp, limit=(most + 1) // 2)
    missing = known[_ARM.CANDIDATE] + len(chosen) - known[_ARM.STABLE]
    chosen += sample(
        rollout, _ARM.STABLE, since=since, share_bp=share_bp, limit=min(missing, most - len(chosen))
    )
    # By rank, which mixes the arms: ids of items grow in the order in which they are made.
    chosen.sort(key=lambda inference: (inference.rank, inference.pk))  # type: ignore[attr-defined]
    authors = _authors(rollout.project_id, chosen)
    made = ReviewItem.objects.bulk_create(
        [_item(inference, feature, authors) for inference in chosen], ignore_conflicts=True
    )
    return len(made)


def _item(inference: Inference, feature: Feature, authors: dict[tuple[str, str], list[str]]) -> ReviewItem:
    output = inference.output_redacted or ""
    content = json.dumps({"variables": inference.variables_redacted, "output": output}, sort_keys=True)
    return ReviewItem(
        project_id=inference.project_id,
        environment_id=inference.environment_id,
        feature=feature,
        inference_id=inference.pk,
        rollout_id=inference.rollout_id,
        release_digest=inference.release_digest,
        arm=inference.arm,
        variables=inference.variables_redacted,
        output=output,
        content_digest=digest_bytes(content.encode()),
        authors=authors.get((inference.prompt, inference.prompt_version), []),
        overlap=people_asked(inference, overlap=min(max(settings.REVIEW_OVERLAP, 1), MOST_LABELS)),
    )


def _authors(project_id: UUID, inferences: Iterable[Inference]) -> dict[tuple[str, str], list[str]]:
    """Who wrote the prompts behind the answers, by name and version."""
    versions = PromptVersion.objects.filter(
        project_id=project_id,
        prompt__name__in={inference.prompt for inference in inferences},
        version__in={inference.prompt_version for inference in inferences},
    )
    return {
        (name, version): [str(author) for author in authors]
        for name, version, authors in versions.values_list("prompt__name", "version", "authors")
    }
