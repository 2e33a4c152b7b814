"""What people found bad is kept in the danger set."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from promptstore.core.actors import Actor
from promptstore.core.permissions import require
from registry.datasets import CaseSource, SourceKind
from registry.models import DatasetCase
from registry.services.danger import add_danger_case
from reviews.errors import StillJudged
from reviews.selectors.danger import danger_case_of
from reviews.selectors.queue import CLOSED, item_by_id
from telemetry.danger import case_content


def add_item_to_danger_set(*, actor: Actor, project_id: UUID, item_id: UUID) -> DatasetCase:
    """Make the item's answer a case of the danger set, with the verdict in its note; a second call gives the first case back.

    Needs `review.settle`, under which the text may be read, and `dataset.edit`. Raises `StillJudged` while somebody may still be
    asked: every member can read the case, and would judge knowing it. Raises `InputsNotKept`, `NotFound` and what
    `add_danger_case` raises.
    """
    require(actor, "review.settle", project_id=project_id)
    require(actor, "dataset.edit", project_id=project_id)
    item = item_by_id(project_id=project_id, item_id=item_id)
    if item.state not in CLOSED:
        raise StillJudged("People are still asked about this answer. Wait until it is settled or escalated.")
    known = danger_case_of(item)
    if known is not None:
        return known
    return add_danger_case(
        actor=actor,
        project_id=project_id,
        feature=item.feature.slug,
        content=case_content(item.variables, note=_found(item.verdict), answer=item.output),
        source=CaseSource(SourceKind.REVIEW, str(item.pk)),
    )


def _found(verdict: Mapping[str, str] | None) -> str:
    if not verdict:
        return "Added from a review that is not decided yet."
    return f"People judged it: {', '.join(f'{question} {answer}' for question, answer in sorted(verdict.items()))}."
