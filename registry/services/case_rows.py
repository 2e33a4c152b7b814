"""What every change of cases does below its surface. Each of these works under the lock of the dataset's row."""

from __future__ import annotations

from uuid import UUID

from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput
from registry.datasets import MAX_CASES, CaseContent, CaseSource, commitment, new_salt
from registry.models import Dataset, DatasetCase, Feature
from registry.selectors.datasets import current_cases


def new_row(
    actor: Actor,
    dataset: Dataset,
    key: str,
    content: CaseContent,
    *,
    feature_id: UUID | None,
    source: CaseSource,
) -> DatasetCase:
    """The row of a case, not saved yet."""
    salt = new_salt()
    return DatasetCase(
        project_id=dataset.project_id,
        dataset=dataset,
        key=key,
        feature_id=feature_id,
        content=content.to_dict(),
        salt=salt,
        commitment=commitment(content, salt),
        source_kind=source.kind.value,
        source_ref=source.ref,
        added_by_id=actor.user_id,
    )


def refuse_too_many(dataset: Dataset, more: int) -> None:
    """Raise `InvalidInput` where `more` further cases are too many."""
    count = current_cases(dataset=dataset).count() + more
    if count > MAX_CASES:
        raise InvalidInput(
            f"{dataset.name} would have {count:,} cases; at most {MAX_CASES:,} are allowed.",
            code="too_long",
            field="cases",
        )


def feature_id_of(project_id: UUID, slug: str | None, *, field: str = "feature") -> UUID | None:
    """The id of a feature, None for none; raises `InvalidInput`."""
    if not slug:
        return None
    feature = Feature.objects.filter(project_id=project_id, slug=slug).first()
    if feature is None:
        raise InvalidInput(f"This project has no feature “{slug[:80]}”.", field=field)
    return feature.pk


def says(case: DatasetCase, content: CaseContent) -> bool:
    """Whether the case has just this content. Canonical JSON decides: Python takes 1 and `true` for equal, JSON does not."""
    return case.salt is not None and commitment(content, case.salt) == case.commitment
