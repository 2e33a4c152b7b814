"""Datasets by name, and their frozen versions."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit
from promptstore.core.actors import Actor, system
from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import require
from registry.dataset_versions import choose, next_after
from registry.datasets import DANGER, version_digest
from registry.errors import EmptyDataset, NameTaken, Unchanged
from registry.models import Dataset, DatasetCase, DatasetVersion, DatasetVersionCase
from registry.names import MAX_CHANGELOG_CHARS, check_name, check_text
from registry.selectors.datasets import current_cases, latest_version, placed_cases
from registry.services.access import get_for
from registry.versioning import order_key

_CHECKS = system("checks")


@transaction.atomic
def create_dataset(*, actor: Actor, project_id: UUID, name: str, description: str = "") -> Dataset:
    """A new held-out dataset. Raises `NameTaken`, `InvalidInput`, `NotAllowed`."""
    require(actor, "dataset.edit", project_id=project_id)
    check_name(name)
    if name == DANGER:
        raise InvalidInput(
            "The danger set has this name and every project has one. Choose another.",
            code="invalid_name",
            field="name",
        )
    try:
        with transaction.atomic():
            dataset = Dataset.objects.create(
                project_id=project_id, name=name, description=check_text(description, field="description")
            )
    except IntegrityError as error:
        raise NameTaken(
            f"A dataset called “{name}” exists already. Choose another name.", field="name"
        ) from error
    audit.record(
        actor=actor, action="dataset.created", target=dataset, project_id=project_id, after={"name": name}
    )
    return dataset


@transaction.atomic
def freeze_dataset(
    *, actor: Actor, dataset_id: UUID, version: str | None = None, changelog: str = ""
) -> DatasetVersion:
    """Freeze the current cases as the next version.

    Without `version` it is the next minor one where cases were only added, else the next major one: scores before and after cannot
    be compared. Raises `EmptyDataset`, `Unchanged`, `VersionExists`, `VersionNotHigher`, `BumpTooLow`, `InvalidInput`.
    """
    get_for(actor, "dataset.edit", Dataset.objects.all(), dataset_id)
    dataset = lock_dataset(dataset_id)
    changelog = check_text(changelog, field="changelog", max_chars=MAX_CHANGELOG_CHARS)
    latest = latest_version(dataset=dataset)
    cases = list(current_cases(dataset=dataset).order_by("key"))
    if not cases and latest is None:
        raise EmptyDataset(f"{dataset.name} has no cases yet. Add some, then freeze.")
    if latest is not None and _holds(latest, cases):
        raise Unchanged(
            f"These are the cases of {latest} already. Add or change one, then freeze.",
            extra={"version": latest.version},
        )
    return _freeze(actor, dataset, cases, latest=latest, wanted=version, changelog=changelog)


@transaction.atomic
def freeze_danger(*, project_id: UUID) -> DatasetVersion:
    """The danger set as it is now, frozen: its newest version if that holds the same cases, else a new one.

    For checks of a candidate. A project without former failures gets a version without cases, so that
    a report can say that there were none.
    """
    dataset = danger_set(project_id)
    cases = list(current_cases(dataset=dataset).order_by("key"))
    latest = latest_version(dataset=dataset)
    if latest is not None and _holds(latest, cases):
        return latest
    return _freeze(_CHECKS, dataset, cases, latest=latest, wanted=None, changelog="")


def lock_dataset(dataset_id: UUID) -> Dataset:
    """The row that every change of a dataset's cases holds."""
    return Dataset.objects.select_for_update().get(pk=dataset_id)


def danger_set(project_id: UUID) -> Dataset:
    """The project's danger set, made if this is its first use, and locked."""
    dataset, _made = Dataset.objects.get_or_create(
        project_id=project_id,
        kind=Dataset.Kind.DANGER,
        defaults={
            "name": DANGER,
            "description": "What went wrong before. Its cases are never removed.",
        },
    )
    return lock_dataset(dataset.pk)


def _holds(version: DatasetVersion, cases: list[DatasetCase]) -> bool:
    return [case.pk for case in placed_cases(version=version)] == [case.pk for case in cases]


def _freeze(
    actor: Actor,
    dataset: Dataset,
    cases: list[DatasetCase],
    *,
    latest: DatasetVersion | None,
    wanted: str | None,
    changelog: str,
) -> DatasetVersion:
    before = {case.pk for case in placed_cases(version=latest)} if latest else set()
    proposed = next_after(latest.version if latest else None, gone=bool(before - {c.pk for c in cases}))
    published = dataset.versions.values_list("version", flat=True)
    number = choose(wanted, proposed=proposed, published=published, name=dataset.name)
    row = DatasetVersion(
        project_id=dataset.project_id,
        dataset=dataset,
        version=str(number),
        version_order=order_key(number),
        digest=version_digest(dataset.name, str(number), [(c.key, c.commitment) for c in cases]),
        changelog=changelog,
        published_by_id=actor.user_id,
        case_count=len(cases),
    )
    row.save(force_insert=True)
    DatasetVersionCase.objects.bulk_create(
        DatasetVersionCase(project_id=dataset.project_id, version=row, position=position, case=case)
        for position, case in enumerate(cases, start=1)
    )
    audit.record(
        actor=actor,
        action="dataset.frozen",
        target=row,
        project_id=dataset.project_id,
        after={"version": row.version, "digest": row.digest, "cases": len(cases), "changelog": changelog},
    )
    return row
