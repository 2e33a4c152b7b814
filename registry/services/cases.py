"""Cases come in: by hand, from a file, from an inference or a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from promptstore.core import audit
from promptstore.core.actors import Actor
from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind, new_key
from registry.errors import CaseErased, CaseExists
from registry.models import Dataset, DatasetCase
from registry.names import check_name, check_text
from registry.selectors.datasets import current_cases
from registry.services.access import get_for
from registry.services.case_rows import feature_id_of, new_row, refuse_too_many, says
from registry.services.datasets import lock_dataset

MAX_LISTED = 50  # keys in one audit event


@dataclass(frozen=True)
class Added:
    """Keys that were added, and those that were there with the same content already."""

    added: tuple[str, ...]
    same: tuple[str, ...]


@transaction.atomic
def add_cases(
    *,
    actor: Actor,
    dataset_id: UUID,
    cases: Sequence[NewCase],
    source: SourceKind = SourceKind.MANUAL,
) -> Added:
    """Add cases, all or none. A key that is there with the same content is left alone, so a file can be imported twice.

    Raises `CaseExists` for keys that say something else, `CaseErased` for keys that were erased, `InvalidInput` naming
    `cases[3].feature` and the like.
    """
    get_for(actor, "dataset.edit", Dataset.objects.all(), dataset_id)
    dataset = lock_dataset(dataset_id)
    there = {case.key: case for case in current_cases(dataset=dataset)}
    _refuse_erased(dataset, cases)
    features: dict[str | None, UUID | None] = {}
    added: list[DatasetCase] = []
    same: list[str] = []
    for index, new in enumerate(cases):
        key = check_name(new.key or new_key(CaseSource(source)), field=f"cases[{index}].key")
        if new.feature not in features:
            features[new.feature] = feature_id_of(
                dataset.project_id, new.feature, field=f"cases[{index}].feature"
            )
        feature_id = features[new.feature]
        known = there.get(key)
        if known is None:
            made = new_row(actor, dataset, key, new.content, feature_id=feature_id, source=CaseSource(source))
            there[key] = made
            added.append(made)
        elif says(known, new.content) and known.feature_id == feature_id:
            same.append(key)
        else:
            raise CaseExists(
                f"The case {key} says something else already. Change it there, or use another key.",
                field=f"cases[{index}].key",
            )
    refuse_too_many(dataset, len(added))
    DatasetCase.objects.bulk_create(_numbered(dataset, added))
    if added:
        audit.record(
            actor=actor,
            action="dataset.cases_added",
            target=dataset,
            project_id=dataset.project_id,
            after={"count": len(added), "keys": [c.key for c in added[:MAX_LISTED]], "source": source.value},
        )
    return Added(tuple(case.key for case in added), tuple(same))


@transaction.atomic
def add_sourced_case(
    *, actor: Actor, dataset_id: UUID, feature: str | None, content: CaseContent, source: CaseSource
) -> DatasetCase:
    """Add the case that came from one inference or review, once: a second call gives the first case back.

    Raises `CaseErased` where that case was erased since.
    """
    get_for(actor, "dataset.edit", Dataset.objects.all(), dataset_id)
    dataset = lock_dataset(dataset_id)
    ref = check_text(source.ref, field="source", max_chars=200)
    known = (
        DatasetCase.objects.filter(
            dataset=dataset, source_kind=source.kind, source_ref=ref, superseded_at__isnull=True
        ).first()
        if ref
        else None
    )
    if known is not None and known.erased_at is None:
        return known
    if known is not None:
        raise CaseErased("The case from this source was erased and does not come back.", field="source")
    refuse_too_many(dataset, 1)
    feature_id = feature_id_of(dataset.project_id, feature)
    key = new_key(source)
    case = new_row(actor, dataset, key, content, feature_id=feature_id, source=source)
    if current_cases(dataset=dataset).filter(key=key).exists():
        raise CaseExists(f"There is a case {key} already.", field="source")
    case.save(force_insert=True)
    action = "danger_case.added" if dataset.kind == Dataset.Kind.DANGER else "dataset.case_added"
    audit.record(
        actor=actor,
        action=action,
        target=case,
        project_id=dataset.project_id,
        after={"commitment": case.commitment, "source": source.kind.value, "source_ref": ref},
    )
    return case


def _numbered(dataset: Dataset, cases: list[DatasetCase]) -> list[DatasetCase]:
    """Revisions go on where a removed case of the same key stopped."""
    before = dict(
        DatasetCase.objects.filter(dataset=dataset, key__in=[case.key for case in cases])
        .values_list("key")
        .annotate(last=Max("revision"))
    )
    for case in cases:
        case.revision = before.get(case.key, 0) + 1
    return cases


def _refuse_erased(dataset: Dataset, cases: Iterable[NewCase]) -> None:
    keys = [new.key for new in cases if new.key]
    erased = (
        DatasetCase.objects.filter(dataset=dataset, key__in=keys, erased_at__isnull=False)
        .order_by("key")
        .values_list("key", flat=True)
        .first()
    )
    if erased is not None:
        raise CaseErased(
            f"The case {erased} was erased. If yours is another one, use another key.", field="cases"
        )
