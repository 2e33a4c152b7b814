from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import semver
from django.db import IntegrityError, transaction

from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput, NotFound
from promptstore.core.permissions import require
from registry import documents
from registry.breaker import check_fallback_models
from registry.models import Feature, PromptVersion
from registry.versioning import read_version
from releases import manifests
from releases.models import Release


@transaction.atomic
def compose_release(
    *,
    actor: Actor,
    project_id: UUID,
    feature: str,
    prompts: Mapping[str, str],
    models: Mapping[str, str],
    config: str,
    primary: str | None = None,
    version: str | None = None,
    changelog: str = "",
) -> Release:
    """Pin exact versions into one immutable manifest.

    `prompts` maps prompt name to version, `models` maps role to `name@version`, `config` is `name@version`. Mutable names,
    unknown, withdrawn and archived versions are refused, and so is a config whose breaker falls back to a model that is not
    pinned. Without `version` the next minor version of the feature is taken.
    Raises `Conflict` when the version is taken or the same content was released before.
    """
    require(actor, "release.compose", project_id=project_id)
    row = Feature.objects.filter(project_id=project_id, slug=feature).first()
    if row is None:
        raise NotFound(f"There is no feature “{feature}” in this project.", field="feature")
    if not prompts:
        raise InvalidInput("A release needs at least one prompt.", field="prompts")
    if "primary" not in models:
        raise InvalidInput("Name the model for the role “primary”.", field="models")
    primary = primary or next(iter(prompts))
    if primary not in prompts:
        raise InvalidInput(f"The primary prompt “{primary}” is not among the prompts.", field="primary")
    manifest = manifests.build(
        feature=feature,
        version=_version(row, version),
        primary=primary,
        prompts=[documents.pin(project_id, "prompt", name, number) for name, number in prompts.items()],
        models={
            role: _pin(project_id, "model", reference, f"models.{role}") for role, reference in models.items()
        },
        config=_pin(project_id, "config", config, "config"),
    )
    digest = manifests.digest(manifest)
    content = documents.resolve(
        project_id, manifest, digest
    )  # everything it can reach is there and fits together
    check_fallback_models(content["config"]["body"], models)
    try:
        with transaction.atomic():
            release = Release.objects.create(
                project_id=project_id,
                feature=row,
                version=manifest["version"],
                manifest=manifest,
                digest=digest,
                changelog=changelog,
                composed_by_id=actor.user_id,
                contributors=_contributors(project_id, manifest, actor),
            )
    except IntegrityError as error:
        raise Conflict(
            f"{feature} {manifest['version']} exists already. Choose a higher version.",
            code="version_exists",
            field="version",
        ) from error
    audit.record(
        actor=actor,
        action="release.composed",
        target=release,
        project_id=project_id,
        after={"digest": digest, "manifest": manifest},
    )
    return release


def _pin(project_id: UUID, kind: str, reference: str, field: str) -> dict[str, str]:
    name, at, version = reference.partition("@")
    if not at or not version:
        raise InvalidInput(
            f"{field}: write name@version; “{reference}” could change its meaning.",
            code="mutable_name",
            field=field,
        )
    return documents.pin(project_id, kind, name, version)


def _version(feature: Feature, wanted: str | None) -> str:
    taken = [
        semver.Version.parse(value)
        for value in Release.objects.filter(feature=feature).values_list("version", flat=True)
    ]
    highest = max(taken, default=None)
    if wanted is None:
        return str(highest.bump_minor()) if highest else "1.0.0"
    chosen = str(read_version(wanted))
    if highest and semver.Version.parse(chosen) <= highest:
        raise Conflict(
            f"Version {chosen} is not higher than {highest}, the newest release of this feature.",
            code="version_not_higher",
            field="version",
        )
    return chosen


def _contributors(project_id: UUID, manifest: Mapping[str, Any], actor: Actor) -> list[str]:
    """Who made something that this release is the first to carry: they may not approve it."""
    earlier: set[str] = set()
    for known in Release.objects.filter(project_id=project_id, feature__slug=manifest["feature"]).values_list(
        "manifest", flat=True
    ):
        earlier |= {pin["digest"] for pin in known["prompts"]}
    new = [pin["digest"] for pin in manifest["prompts"] if pin["digest"] not in earlier]
    people = {str(actor.user_id)} if actor.user_id else set()
    for version in PromptVersion.objects.filter(project_id=project_id, digest__in=new):
        people |= {str(person) for person in version.authors}
        if version.published_by_id:
            people.add(str(version.published_by_id))
    return sorted(people)
