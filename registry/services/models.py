"""Entries of the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.permissions import require
from registry.content import Kind, artifact_digest
from registry.entries import read_entry
from registry.models import Endpoint, LanguageModel, ModelVersion
from registry.names import MAX_CHANGELOG_CHARS, check_name, check_text
from registry.versioning import check_follows, order_key, read_version


@transaction.atomic
def register_model_version(
    *,
    actor: Actor,
    project_id: UUID,
    name: str,
    version: str,
    entry: Mapping[str, Any],
    changelog: str = "",
    description: str | None = None,
) -> ModelVersion:
    """Write an immutable entry down; the first one of a name makes the model.

    `entry` has the members of `registry.entries.ModelEntry`; its `endpoint` is the name of an endpoint of this project. Raises
    `InvalidInput` naming the member, `MutableName` for a name that is not pinned, `VersionExists`, `VersionNotHigher`.
    """
    require(actor, "model.register", project_id=project_id)
    check_name(name)
    number = read_version(version)
    changelog = check_text(changelog, field="changelog", max_chars=MAX_CHANGELOG_CHARS)
    checked = read_entry(entry)
    endpoint = Endpoint.objects.filter(project_id=project_id, name=checked.endpoint).first()
    if endpoint is None:
        raise InvalidInput(
            f"There is no endpoint “{checked.endpoint}” in this project. Make it first.",
            field="endpoint",
            code="unknown_endpoint",
        )
    model, made = LanguageModel.objects.get_or_create(
        project_id=project_id,
        name=name,
        defaults={"description": check_text(description or "", field="description")},
    )
    model = LanguageModel.objects.select_for_update().get(pk=model.pk)
    if model.archived_at is not None:
        raise Conflict(f"{name} is archived.", code="archived", field="name")
    check_follows(
        number, ModelVersion.objects.filter(model=model).values_list("version", flat=True), name=name
    )
    body = checked.body()
    row = ModelVersion(
        project_id=project_id,
        model=model,
        version=str(number),
        version_order=order_key(number),
        digest=artifact_digest(kind=Kind.MODEL, name=name, version=str(number), body=body),
        changelog=changelog,
        published_by_id=actor.user_id,
        **{**body, "endpoint": endpoint, "snapshot_at": checked.snapshot_at},
    )
    row.save(force_insert=True)
    audit.record(
        actor=actor,
        action="model.registered",
        target=row,
        project_id=project_id,
        after={
            "version": row.version,
            "digest": row.digest,
            "provider_model_id": row.provider_model_id,
            "new_model": made,
        },
    )
    return row
