"""Which answers people are asked about: a share of each arm, chosen by the inference's id alone.

The hash is the one by which a serving node decides whose text it keeps (`capture`), so that a share of at most that one finds
the text of all it chooses. A node also keeps the text of what went wrong; those answers are left out here, because they would
be over-represented, and they are counted by metrics of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import BigIntegerField, Exists, F, Func, OuterRef

from promptstore.core.models import Environment
from registry.models import Feature
from reviews.models import EndedRollout, ReviewItem
from telemetry.events import Status
from telemetry.minutes import NO_ROLLOUT
from telemetry.models import Inference, Rollup

# How far back a run looks: telemetry may be that late, and a run may have been missed.
LOOK_BACK = timedelta(hours=1)
# Every fifth item is asked of several people, so that their agreement is known.
OVERLAP_EVERY = 5
_RANKS = 1 << 32


class Rank(Func):
    """The first four bytes of the SHA-256 of an id's text, as an unsigned number."""

    template = "('x' || substr(encode(sha256(convert_to(%(expressions)s::text, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint"
    output_field = BigIntegerField()


@dataclass(frozen=True, slots=True)
class LiveRollout:
    """A rollout whose candidate answered lately and that has not ended since."""

    project_id: UUID
    environment_id: UUID
    feature: str
    rollout_id: UUID


def live_rollouts(*, since: datetime) -> Sequence[LiveRollout]:
    """Those whose candidate answered at or after `since` and which have not ended, in one query."""
    rows = (
        Rollup.objects.filter(
            # Both lists are short, and with them the rows are found by the index of minutes.
            environment_id__in=Environment.objects.values("pk"),
            feature__in=Feature.objects.values("slug"),
            minute__gte=since,
            arm=ReviewItem.Arm.CANDIDATE,
            count__gt=0,  # a minute may hold labels alone
        )
        .exclude(rollout_id=NO_ROLLOUT)
        .exclude(
            Exists(
                EndedRollout.objects.filter(
                    project_id=OuterRef("project_id"), rollout_id=OuterRef("rollout_id")
                )
            )
        )
        .values_list("project_id", "environment_id", "feature", "rollout_id")
        .order_by("project_id", "rollout_id")
        .distinct()
    )
    return [LiveRollout(*row) for row in rows]


def sample(rollout: LiveRollout, arm: str, *, since: datetime, share_bp: int, limit: int) -> list[Inference]:
    """At most `limit` answers of one arm that belong to the share and are no items yet, lowest rank first."""
    if limit <= 0:
        return []
    known = ReviewItem.objects.filter(inference_id=OuterRef("pk"))
    found = (
        Inference.objects.filter(
            rollout_id=rollout.rollout_id,
            arm=arm,
            at__gte=since,
            project_id=rollout.project_id,
            status=Status.OK,
            policy_hit=False,
            role__in=["primary", ""],
            output_redacted__gt="",
        )
        .exclude(output_valid=False)
        .annotate(rank=Rank(F("pk")))
        .filter(rank__lt=-(-share_bp * _RANKS // 10_000))
        .exclude(Exists(known))
        .order_by("rank", "pk")
    )
    return list(found[:limit])


def people_asked(inference: Inference, *, overlap: int) -> int:
    """How many people judge the answer: always the same for the same id."""
    rank: int = inference.rank  # type: ignore[attr-defined] # `sample` annotates it
    return overlap if rank % OVERLAP_EVERY == 0 else 1
