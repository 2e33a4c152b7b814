"""What enters the queue by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import transaction

from promptstore.core import clock
from promptstore.core.digests import digest_bytes
from promptstore.core.models import Project
from registry.models import Feature, PromptVersion
from reviews.models import EndedRollout, ReviewItem
from reviews.models.items import MOST_LABELS
from reviews.sampling import LOOK_BACK, LiveRollout, live_rollouts, people_asked, sample
from reviews.services.withdrawing import OPEN, withdraw_items
from telemetry.models import Inference

_ARM = ReviewItem.Arm


def enqueue_samples() -> int:
    """Take the share of every live rollout's answers into the queue, within the day's budget; returns how many.

    For the timetable. Each rollout gets as many answers of stable as of the candidate, in an order that tells nothing of the
    arm. What is in the queue already is never added again. Projects that another run is at are passed over. Answers of a rollout
    that has ended are left out, and what an earlier run took of it meanwhile is withdrawn.
    """
    _withdraw_late()
    if settings.REVIEW_SHARE_BP <= 0:
        return 0
    rollouts = live_rollouts(since=clock.now() - LOOK_BACK)
    return sum(
        _enqueue(project_id, list(group))
        for project_id, group in groupby(rollouts, key=lambda rollout: rollout.project_id)
    )


def _withdraw_late() -> None:
    """Withdraw what a run added that did not know yet that the rollout had just ended."""
    lately = EndedRollout.objects.filter(created_at__gte=clock.now() - 2 * LOOK_BACK)
    late = (
        ReviewItem.objects.filter(rollout_id__in=lately.values("rollout_id"), state__in=OPEN)
        .values_list("project_id", "rollout_id")
        .order_by("project_id", "rollout_id")
        .distinct()
    )
    for project_id, rollout_id in late:
        assert rollout_id is not None  # it is one of those that ended
        withdraw_items(project_id=project_id, rollout_id=rollout_id, reason="The rollout is over.")


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
    # Ids of items grow in the order in which they are made. Of the arm with more answers those of a lower rank were chosen, so the
    # rank would tell the arms apart; another hash does not.
    chosen.sort(key=lambda inference: digest_bytes(f"order {inference.pk}".encode()))
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
