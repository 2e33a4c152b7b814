"""From a failure to a case that stays, in one action."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from promptstore.core.actors import Actor
from promptstore.core.permissions import require
from registry.datasets import CaseContent, CaseSource
from registry.models import DatasetCase
from registry.services.cases import add_sourced_case
from registry.services.datasets import danger_set


@transaction.atomic
def add_danger_case(
    *, actor: Actor, project_id: UUID, feature: str | None, content: CaseContent, source: CaseSource
) -> DatasetCase:
    """Add what went wrong to the project's danger set; `feature` is a slug, or None for any feature.

    Idempotent by `source.ref`: the same inference or review gives the first case back. Raises `CaseErased`, `InvalidInput`,
    `NotAllowed`.
    """
    require(actor, "dataset.edit", project_id=project_id)
    return add_sourced_case(
        actor=actor,
        dataset_id=danger_set(project_id).pk,
        feature=feature,
        content=content,
        source=source,
    )
