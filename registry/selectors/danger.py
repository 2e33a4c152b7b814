from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from registry.datasets import CaseSource
from registry.models import Dataset, DatasetCase


def danger_case_from(*, project_id: UUID, sources: Sequence[CaseSource]) -> DatasetCase | None:
    """The case of the danger set that came from one of the `sources`, in use; the oldest where there are several."""
    asked = Q()
    for source in sources:
        asked |= Q(source_kind=source.kind.value, source_ref=source.ref)
    return (
        DatasetCase.objects.select_related("dataset")
        .filter(
            asked,
            project_id=project_id,
            dataset__kind=Dataset.Kind.DANGER,
            superseded_at__isnull=True,
            erased_at__isnull=True,
        )
        .order_by("pk")
        .first()
    )
