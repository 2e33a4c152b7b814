"""Serving configs: published, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict
from promptstore.core.permissions import require
from registry.configs import DryRun, check_config_body, dry_run
from registry.content import Kind, artifact_digest
from registry.errors import Unchanged
from registry.models import ServingConfig, ServingConfigVersion
from registry.names import MAX_CHANGELOG_CHARS, check_name, check_text
from registry.rendering.versions import Bump, next_version
from registry.versioning import check_follows, highest, order_key, read_version


@transaction.atomic
def publish_config_version(
    *,
    actor: Actor,
    project_id: UUID,
    name: str,
    body: Mapping[str, Any],
    version: str | None = None,
    changelog: str = "",
) -> ServingConfigVersion:
    """Publish a config; the first version of a name makes it. Without `version` it is the next minor one.

    Raises `InvalidInput` naming the member at fault, `Unchanged`, `VersionExists`, `VersionNotHigher`.
    """
    require(actor, "config.publish", project_id=project_id)
    check_name(name)
    wanted = read_version(version) if version else None
    checked = check_config_body(body)
    changelog = check_text(changelog, field="changelog", max_chars=MAX_CHANGELOG_CHARS)
    config, _made = ServingConfig.objects.get_or_create(project_id=project_id, name=name)
    config = ServingConfig.objects.select_for_update().get(pk=config.pk)
    if config.archived_at is not None:
        raise Conflict(f"{name} is archived.", code="archived", field="name")
    published = list(ServingConfigVersion.objects.filter(config=config).order_by("-version_order"))
    numbers = [row.version for row in published]
    if published and published[0].body == checked:
        raise Unchanged(f"This is what {name} {numbers[0]} says already.", extra={"version": numbers[0]})
    top = highest(numbers)
    number = wanted or read_version(next_version(str(top) if top else None, Bump.MINOR))
    check_follows(number, numbers, name=name)
    row = ServingConfigVersion(
        project_id=project_id,
        config=config,
        version=str(number),
        version_order=order_key(number),
        digest=artifact_digest(kind=Kind.CONFIG, name=name, version=str(number), body=checked),
        changelog=changelog,
        published_by_id=actor.user_id,
        body=checked,
    )
    row.save(force_insert=True)
    audit.record(
        actor=actor,
        action="config.published",
        target=row,
        project_id=project_id,
        after={"version": row.version, "digest": row.digest, "body": checked},
    )
    return row


def try_config(
    *, actor: Actor, project_id: UUID, body: Mapping[str, Any], variables: Mapping[str, Any], output: str
) -> DryRun:
    """What a config would do with a request's variables and a model's output. Stores nothing."""
    require(actor, "project.read", project_id=project_id)
    return dry_run(
        check_config_body(body),
        variables=variables,
        output=check_text(output, field="output", max_chars=100_000),
    )
