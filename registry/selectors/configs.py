from __future__ import annotations

from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery

from promptstore.core.errors import NotFound
from registry.models import ServingConfig, ServingConfigVersion


def configs(*, project_id: UUID, archived: bool = False) -> QuerySet[ServingConfig]:
    """A project's serving configs, newest first, with `version_count`, `latest_version`, `latest_at`, `latest_body`."""
    latest = ServingConfigVersion.objects.filter(config=OuterRef("pk")).order_by("-version_order")
    return (
        ServingConfig.objects.filter(project_id=project_id, archived_at__isnull=not archived)
        .annotate(
            version_count=Count("versions"),
            latest_version=Subquery(latest.values("version")[:1]),
            latest_at=Subquery(latest.values("created_at")[:1]),
            latest_body=Subquery(latest.values("body")[:1]),
        )
        .order_by("-id")
    )


def config_by_name(*, project_id: UUID, name: str) -> ServingConfig:
    """Raises `NotFound`."""
    config = ServingConfig.objects.filter(project_id=project_id, name=name).first()
    if config is None:
        raise NotFound(f"This project has no serving config “{name[:80]}”.", field="config")
    return config


def config_versions(*, config: ServingConfig) -> QuerySet[ServingConfigVersion]:
    """Highest version first."""
    return (
        ServingConfigVersion.objects.filter(config=config)
        .select_related("published_by", "config")
        .order_by("-version_order")
    )


def config_version(*, config: ServingConfig, version: str) -> ServingConfigVersion:
    """One version by its number, a leading `v` allowed; raises `NotFound`."""
    row = config_versions(config=config).filter(version=version.removeprefix("v")).first()
    if row is None:
        raise NotFound(f"{config.name} has no version {version[:64]}.", field="version")
    return row
