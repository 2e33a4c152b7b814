from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce

from promptstore.core.errors import DomainError, NotFound
from registry.datasets import CaseContent, commitment_of, version_digest
from registry.models import Dataset, DatasetCase, DatasetVersion

_CURRENT = Q(superseded_at__isnull=True, removed_at__isnull=True, erased_at__isnull=True)


@dataclass(frozen=True)
class FrozenCase:
    """A case of a frozen version, at its place from 1. `content` is None where it was erased; `feature` is a slug or None."""

    position: int
    key: str
    commitment: str
    feature: str | None
    content: CaseContent | None

    @property
    def is_erased(self) -> bool:
        return self.content is None


@dataclass(frozen=True)
class Verification:
    """What recomputing a version found. `broken` and `erased` hold keys; an erased case is not broken: its commitment stands."""

    digest_matches: bool
    checked: int
    broken: tuple[str, ...]
    erased: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.digest_matches and not self.broken


@dataclass(frozen=True)
class Changes:
    """Keys of the current cases against a version: `added` are not in it, `gone` were changed, removed or erased since."""

    added: tuple[str, ...]
    gone: tuple[str, ...]


def datasets(*, project_id: UUID, archived: bool = False) -> QuerySet[Dataset]:
    """A project's datasets, newest first, with `case_count` (current ones), `version_count`, `latest_version`, `latest_at`."""
    latest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-version_order")
    counted = DatasetCase.objects.filter(_CURRENT, dataset=OuterRef("pk")).order_by()
    versions = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by()
    return (
        Dataset.objects.filter(project_id=project_id, archived_at__isnull=not archived)
        .annotate(
            case_count=_count(counted),
            version_count=_count(versions),
            latest_version=Subquery(latest.values("version")[:1]),
            latest_at=Subquery(latest.values("created_at")[:1]),
        )
        .order_by("-id")
    )


def _count(rows: QuerySet[DatasetCase] | QuerySet[DatasetVersion]) -> Coalesce:
    return Coalesce(Subquery(rows.values("dataset").annotate(n=Count("pk")).values("n")), 0)


def dataset_by_name(*, project_id: UUID, name: str) -> Dataset:
    """Raises `NotFound`."""
    dataset = datasets(project_id=project_id).filter(name=name).first()
    if dataset is None:
        raise NotFound(f"This project has no dataset “{name[:80]}”.", field="dataset")
    return dataset


def danger_dataset(*, project_id: UUID) -> Dataset | None:
    """The project's danger set, or None before its first case."""
    return datasets(project_id=project_id).filter(kind=Dataset.Kind.DANGER).first()


def current_cases(*, dataset: Dataset) -> QuerySet[DatasetCase]:
    """What the next version would hold, newest first."""
    return (
        DatasetCase.objects.filter(_CURRENT, dataset=dataset)
        .select_related("feature", "added_by", "dataset")
        .order_by("-id")
    )


def listed_cases(
    *, dataset: Dataset, show: str = "current", search: str = "", feature: str = ""
) -> QuerySet[DatasetCase]:
    """Cases, newest first: `show` is current, removed or erased; `search` looks into key and content; `feature` is a slug."""
    rows = DatasetCase.objects.filter(dataset=dataset).select_related(
        "feature", "added_by", "erased_by", "dataset"
    )
    if show == "erased":
        rows = rows.filter(erased_at__isnull=False, superseded_at__isnull=True)
    elif show == "removed":
        rows = rows.filter(removed_at__isnull=False, erased_at__isnull=True)
    else:
        rows = rows.filter(_CURRENT)
    if feature:
        rows = rows.filter(feature__slug=feature)
    words = search.strip()[:200].replace("\x00", "")
    if words:
        rows = rows.annotate(text=Cast("content", TextField())).filter(
            Q(key__icontains=words) | Q(text__icontains=words)
        )
    return rows.order_by("-id")


def case_by_key(*, dataset: Dataset, key: str) -> DatasetCase:
    """The newest row under this key, whatever became of it; raises `NotFound`."""
    row = (
        DatasetCase.objects.filter(dataset=dataset, key=key)
        .select_related("feature", "added_by", "erased_by", "dataset")
        .order_by("-revision")
        .first()
    )
    if row is None:
        raise NotFound(f"{dataset.name} has no case “{key[:80]}”.", field="case")
    return row


def dataset_versions(*, dataset: Dataset) -> QuerySet[DatasetVersion]:
    """Highest version first."""
    return (
        DatasetVersion.objects.filter(dataset=dataset)
        .select_related("published_by", "dataset")
        .order_by("-version_order")
    )


def dataset_version(*, dataset: Dataset, version: str) -> DatasetVersion:
    """One version by its number, a leading `v` allowed; raises `NotFound`."""
    row = dataset_versions(dataset=dataset).filter(version=version.removeprefix("v")).first()
    if row is None:
        raise NotFound(f"{dataset.name} has no version {version[:64]}.", field="version")
    return row


def latest_version(*, dataset: Dataset) -> DatasetVersion | None:
    """The highest frozen version, or None."""
    return dataset_versions(dataset=dataset).first()


def changes_since(*, dataset: Dataset, version: DatasetVersion | None) -> Changes:
    """What is different now; without a version every case is new. A changed case is both gone and added."""
    now = dict(current_cases(dataset=dataset).values_list("pk", "key"))
    frozen = dict(version.places.values_list("case_id", "case__key")) if version else {}
    return Changes(
        added=tuple(sorted(key for pk, key in now.items() if pk not in frozen)),
        gone=tuple(sorted(key for pk, key in frozen.items() if pk not in now)),
    )


def placed_cases(*, version: DatasetVersion) -> list[DatasetCase]:
    """The rows of a frozen version in their order."""
    return [
        place.case
        for place in version.places.select_related(
            "case", "case__feature", "case__erased_by", "case__dataset"
        ).order_by("position")
    ]


def cases_of(version: DatasetVersion) -> list[FrozenCase]:
    """The frozen cases in their order, erased ones included without content."""
    return [
        FrozenCase(
            position=position,
            key=case.key,
            commitment=case.commitment,
            feature=case.feature.slug if case.feature else None,
            content=case.said,
        )
        for position, case in enumerate(placed_cases(version=version), start=1)
    ]


def verify_version(version: DatasetVersion) -> Verification:
    """Recompute every commitment that can be, and the digest over all of them."""
    cases = placed_cases(version=version)
    digest = version_digest(
        version.dataset.name, version.version, [(case.key, case.commitment) for case in cases]
    )
    return Verification(
        digest_matches=digest == version.digest and len(cases) == version.case_count,
        checked=len(cases),
        broken=tuple(case.key for case in cases if case.content is not None and not _keeps_its_word(case)),
        erased=tuple(case.key for case in cases if case.content is None),
    )


def _keeps_its_word(case: DatasetCase) -> bool:
    """Whether the stored content is what the commitment was made to."""
    if case.content is None:
        return False
    try:
        return commitment_of(case.content, case.salt or "") == case.commitment
    except (DomainError, ValueError):
        return False
