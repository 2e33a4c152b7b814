"""Cases change, leave, come back, and are erased. Frozen versions keep the rows they were made of."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from promptstore.core import audit, clock
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, StaleWrite
from promptstore.core.permissions import require
from registry.datasets import CaseContent, CaseSource, SourceKind
from registry.errors import CaseErased, DangerCaseStays
from registry.models import Dataset, DatasetCase
from registry.names import check_text
from registry.selectors.datasets import case_by_key
from registry.services.access import get_for
from registry.services.case_rows import feature_id_of, new_row, refuse_too_many, says
from registry.services.datasets import lock_dataset


@transaction.atomic
def change_case(
    *,
    actor: Actor,
    dataset_id: UUID,
    key: str,
    revision: int,
    content: CaseContent,
    feature: str | None = None,
    reason: str = "",
) -> DatasetCase:
    """Say something else under the same key: a new row supersedes the one at `revision`, which frozen versions keep.

    In the danger set this could defuse a former failure, so it takes who may erase, and a reason. Raises `StaleWrite`, `NotFound`,
    `Conflict` for a case that is not in use.
    """
    dataset, case = _locked(actor, dataset_id, key, "dataset.edit")
    is_danger = dataset.kind == Dataset.Kind.DANGER
    if is_danger:
        require(actor, "dataset.erase", project_id=dataset.project_id)
    reason = check_text(reason, field="reason", required=is_danger)
    _refuse_unused(case)
    if case.revision != revision:
        raise StaleWrite(
            "Somebody changed this case after you opened it. Look at theirs, then save again.",
            field="revision",
            extra={"current_revision": case.revision},
        )
    feature_id = feature_id_of(dataset.project_id, feature)
    if says(case, content) and case.feature_id == feature_id:
        return case
    case.superseded_at = clock.now()
    case.save(update_fields=["superseded_at"])
    source = CaseSource(SourceKind(case.source_kind), case.source_ref)
    made = new_row(actor, dataset, key, content, feature_id=feature_id, source=source)
    made.revision = case.revision + 1
    made.save(force_insert=True)
    audit.record(
        actor=actor,
        action="dataset.case_changed",
        target=made,
        project_id=dataset.project_id,
        before={"revision": case.revision, "commitment": case.commitment},
        after={"revision": made.revision, "commitment": made.commitment},
        reason=reason,
    )
    return made


@transaction.atomic
def remove_case(*, actor: Actor, dataset_id: UUID, key: str) -> DatasetCase:
    """Leave a case out of future versions; `restore_case` takes it back. Raises `DangerCaseStays` in the danger set."""
    dataset, case = _locked(actor, dataset_id, key, "dataset.edit")
    if dataset.kind == Dataset.Kind.DANGER:
        raise DangerCaseStays(
            "What failed once stays. If the law demands it, an engineer or owner can erase the case."
        )
    _refuse_unused(case)
    case.removed_at = clock.now()
    case.save(update_fields=["removed_at"])
    audit.record(
        actor=actor,
        action="dataset.case_removed",
        target=case,
        project_id=dataset.project_id,
        before={"commitment": case.commitment},
    )
    return case


@transaction.atomic
def restore_case(*, actor: Actor, dataset_id: UUID, key: str) -> DatasetCase:
    """Take a removed case back. Raises `Conflict` (`not_removed`) for any other."""
    dataset, case = _locked(actor, dataset_id, key, "dataset.edit")
    if case.removed_at is None or case.erased_at is not None:
        raise Conflict(f"The case {key} is not removed.", code="not_removed")
    refuse_too_many(dataset, 1)
    case.removed_at = None
    case.save(update_fields=["removed_at"])
    audit.record(
        actor=actor,
        action="dataset.case_restored",
        target=case,
        project_id=dataset.project_id,
        after={"commitment": case.commitment},
    )
    return case


@transaction.atomic
def erase_case(*, actor: Actor, dataset_id: UUID, key: str, reason: str) -> DatasetCase:
    """Destroy what a case says, in every revision and every frozen version, for good.

    Its commitments stay, so versions still verify. The danger set is no exception: the law may demand it. Backups made before keep
    the content until they expire.
    """
    dataset, case = _locked(actor, dataset_id, key, "dataset.erase")
    reason = check_text(reason, field="reason", required=True)
    rows = list(
        DatasetCase.objects.select_for_update(of=("self",)).filter(
            dataset=dataset, key=key, erased_at__isnull=True
        )
    )
    if not rows:
        raise CaseErased(f"The case {key} is erased already.", field="key")
    for row in rows:
        row.content, row.salt = None, None
        row.erased_at, row.erased_by_id = clock.now(), actor.user_id
        row.save(update_fields=["content", "salt", "erased_at", "erased_by"])
    audit.record(
        actor=actor,
        action="dataset.case_erased",
        target=case,
        project_id=dataset.project_id,
        after={"commitments": sorted(row.commitment for row in rows)},
        reason=reason,
    )
    case.refresh_from_db()
    return case


def _locked(actor: Actor, dataset_id: UUID, key: str, permission: str) -> tuple[Dataset, DatasetCase]:
    get_for(actor, permission, Dataset.objects.all(), dataset_id)
    dataset = lock_dataset(dataset_id)
    return dataset, case_by_key(dataset=dataset, key=key)


def _refuse_unused(case: DatasetCase) -> None:
    if case.erased_at is not None:
        raise CaseErased(f"The case {case.key} was erased.", field="key")
    if case.removed_at is not None:
        raise Conflict(f"The case {case.key} is removed. Restore it first.", code="removed", field="key")
