from __future__ import annotations

from registry.datasets import CaseSource, SourceKind
from registry.models import DatasetCase
from registry.selectors.danger import danger_case_from
from reviews.models import ReviewItem
from telemetry.danger import source_of


def danger_case_of(item: ReviewItem) -> DatasetCase | None:
    """The case of the danger set that was made of this item, or of the inference that it copies."""
    sources = [CaseSource(SourceKind.REVIEW, str(item.pk)), source_of(item.inference_id)]
    return danger_case_from(project_id=item.project_id, sources=sources)
