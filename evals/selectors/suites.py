"""Reads: suites and their versions."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from evals.models import Suite, SuiteVersion
from evals.suite_versions import SuiteRef
from promptstore.core.errors import NotFound


def suites(*, project_id: UUID) -> QuerySet[Suite]:
    """A project's suites, newest first, with `version_count`, `latest_version`, `latest_at`, `latest_body`."""
    latest = SuiteVersion.objects.filter(suite=OuterRef("pk")).order_by("-version_order")
    return (
        Suite.objects.filter(project_id=project_id, archived_at__isnull=True)
        .annotate(
            version_count=Count("versions"),
            latest_version=Subquery(latest.values("version")[:1]),
            latest_at=Subquery(latest.values("created_at")[:1]),
            latest_body=Subquery(latest.values("body")[:1]),
        )
        .order_by("-id")
    )


def suite_by_name(*, project_id: UUID, name: str) -> Suite:
    """Raises `NotFound`."""
    suite = suites(project_id=project_id).filter(name=name).first()
    if suite is None:
        raise NotFound(f"This project has no suite “{name[:80]}”.", field="suite")
    return suite


def suite_versions(*, suite: Suite) -> QuerySet[SuiteVersion]:
    """Highest version first."""
    return (
        SuiteVersion.objects.filter(suite=suite)
        .select_related("published_by", "suite")
        .order_by("-version_order")
    )


def suite_version(*, suite: Suite, version: str) -> SuiteVersion:
    """One version by its number, a leading `v` allowed; raises `NotFound`."""
    row = suite_versions(suite=suite).filter(version=version.removeprefix("v")).first()
    if row is None:
        raise NotFound(f"{suite.name} has no version {version[:64]}.", field="version")
    return row


def pinned_suite(*, project_id: UUID, ref: SuiteRef, field: str = "suite") -> SuiteVersion:
    """The version that `ref` names; raises `NotFound`."""
    row = (
        SuiteVersion.objects.filter(project_id=project_id, suite__name=ref.name, version=ref.version)
        .select_related("suite")
        .first()
    )
    if row is None:
        raise NotFound(f"This project has no suite {ref}. Publish it first.", field=field)
    return row
