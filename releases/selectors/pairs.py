"""Pairs: the answers of two releases to the same call, kept of a share of the calls while a rollout goes up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from releases.models import Rollout
from releases.routing import Arm
from telemetry.models import Inference


@dataclass(frozen=True)
class Answer:
    """One release's answer, as it was stored: redacted. `text` is `None` where there was none."""

    id: UUID
    release: str
    arm: str
    status: str
    text: str | None
    latency_ms: float
    cost_usd_nanos: int


@dataclass(frozen=True)
class Pair:
    """`old` is stable's answer and `new` the candidate's; `shown` is the arm whose answer its user got."""

    id: UUID
    at: datetime
    variables: Any
    old: Answer
    new: Answer
    shown: str

    @property
    def differs(self) -> bool:
        """Whether they do not say the same; where one said nothing, they do not."""
        return self.old.text is None or self.old.text != self.new.text


def pair_rows(rollout: Rollout, *, differing: bool = False) -> QuerySet[Inference]:
    """The copies of calls that are halves of pairs, newest first; with `differing` those whose texts are not the same."""
    answered = Inference.objects.filter(pk=OuterRef("paired_with"))
    rows = Inference.objects.filter(
        project_id=rollout.project_id, rollout_id=rollout.pk, arm=Arm.SHADOW, paired_with__isnull=False
    )
    # Only of pairs the variables are kept on both sides whatever became of them; the answered half may still be on its way.
    rows = rows.filter(variables_redacted__isnull=False).annotate(
        answered=Subquery(answered.values("id")[:1]),
        answered_text=Subquery(answered.values("output_redacted")[:1]),
        answered_variables=Subquery(answered.values("variables_redacted")[:1]),
    )
    rows = rows.filter(answered__isnull=False, answered_variables__isnull=False)
    if differing:
        silent = Q(answered_text=None) | Q(output_redacted=None)
        rows = rows.filter(silent | ~Q(answered_text=F("output_redacted")))
    return rows.order_by("-id")


def pairs_of(copies: Iterable[Inference]) -> list[Pair]:
    """The pairs of `copies` (from `pair_rows`), in their order, in one query."""
    copies = list(copies)
    answered = Inference.objects.in_bulk([copy.paired_with for copy in copies])
    return [_pair(answered[copy.paired_with], copy) for copy in copies if copy.paired_with in answered]


def sample_pairs(rollout: Rollout, count: int) -> list[Pair]:
    """The newest `count` pairs, those that differ first."""
    differing = pairs_of(pair_rows(rollout, differing=True)[:count])
    if len(differing) == count:
        return differing
    known = {pair.id for pair in differing}
    return [*differing, *(pair for pair in pairs_of(pair_rows(rollout)[:count]) if pair.id not in known)][
        :count
    ]


def _pair(shown: Inference, copy: Inference) -> Pair:
    old, new = (copy, shown) if shown.arm == Arm.CANDIDATE else (shown, copy)
    return Pair(
        id=copy.pk,
        at=shown.at,
        variables=shown.variables_redacted,
        old=_answer(old),
        new=_answer(new),
        shown=shown.arm,
    )


def _answer(row: Inference) -> Answer:
    return Answer(
        id=row.pk,
        release=row.release_version,
        arm=row.arm,
        status=row.status,
        text=row.output_redacted,
        latency_ms=row.latency_ms,
        cost_usd_nanos=row.cost_usd_nanos,
    )
