"""An item is settled: its verdict is counted for the rules that watch its arm."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from promptstore.core import clock
from reviews.models import ReviewItem
from reviews.rubrics import is_hallucination, is_tone_off, is_unsupported
from reviews.states import REVIEW, ReviewState, next_state
from telemetry.labels import ArmOf, Finding, count_finding


def settle(item: ReviewItem, action: str, verdict: Mapping[str, str], *, by: UUID | None = None) -> None:
    """Move the locked item to settled with `action` and count its verdict, in the caller's transaction; the caller saves the item.

    Nothing leads away from settled, so under the item's lock each verdict is counted once. Raises `TransitionRefused`.
    """
    item.state = next_state(REVIEW, ReviewState(item.state), action)
    item.verdict, item.settled_at, item.settled_by_id = dict(verdict), clock.now(), by
    count_finding(
        of=ArmOf(
            project_id=item.project_id,
            environment_id=item.environment_id,
            feature=item.feature.slug,
            rollout_id=item.rollout_id,
            release_digest=item.release_digest,
            arm=item.arm,
        ),
        found=Finding(
            hallucinated=is_hallucination(verdict),
            unsupported=is_unsupported(verdict),
            tone_off=is_tone_off(verdict),
        ),
        settled_at=item.settled_at,
    )
