"""What a release could be made of, and what a person proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from registry.models import Feature, ModelVersion, PromptVersion, ServingConfigVersion
from releases.models import Release

ROLES = ("primary", "cheap", "judge", "safe")


@dataclass(frozen=True)
class Choices:
    """What may be pinned, newest version first: prompt versions by prompt name, model and config references."""

    prompts: Mapping[str, tuple[str, ...]]
    models: tuple[str, ...]
    configs: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The kinds of artifacts of which there is none yet."""
        kinds = (("prompt", self.prompts), ("model", self.models), ("serving config", self.configs))
        return tuple(kind for kind, found in kinds if not found)


def choices(project_id: UUID) -> Choices:
    """Every published version of the project that a new release may use."""
    prompts: dict[str, list[str]] = {}
    rows = PromptVersion.objects.filter(
        project_id=project_id, prompt__archived_at__isnull=True, withdrawal__isnull=True
    )
    for name, version in rows.order_by("prompt__name", "-version_order").values_list(
        "prompt__name", "version"
    ):
        prompts.setdefault(name, []).append(version)
    return Choices(
        prompts={name: tuple(versions) for name, versions in prompts.items()},
        models=_references(ModelVersion.objects.filter(project_id=project_id), "model"),
        configs=_references(ServingConfigVersion.objects.filter(project_id=project_id), "config"),
    )


def _references(rows: QuerySet[Any], parent: str) -> tuple[str, ...]:
    found = (
        rows.filter(**{f"{parent}__archived_at__isnull": True})
        .order_by(f"{parent}__name", "-version_order")
        .values_list(f"{parent}__name", "version")
    )
    return tuple(f"{name}@{version}" for name, version in found)


@dataclass(frozen=True)
class Proposal:
    """What a person chose. `prompts` maps name to version, `models` role to `name@version`, `config` is `name@version`."""

    primary: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    config: str = ""


def proposal_from(release: Release | None) -> Proposal:
    """The proposal that would compose `release` again."""
    if release is None:
        return Proposal()
    manifest = release.manifest
    return Proposal(
        primary=manifest["primary"],
        prompts={pin["name"]: pin["version"] for pin in manifest["prompts"]},
        models={role: f"{pin['name']}@{pin['version']}" for role, pin in manifest["models"].items()},
        config=f"{manifest['config']['name']}@{manifest['config']['version']}",
    )


def manifest_of(feature: Feature, proposal: Proposal) -> dict[str, Any]:
    """A manifest in shape, without versions of its own or digests: enough to compare."""
    return {
        "feature": feature.slug,
        "primary": proposal.primary,
        "prompts": [{"name": name, "version": version} for name, version in proposal.prompts.items()],
        "models": {role: _split(reference) for role, reference in proposal.models.items()},
        "config": _split(proposal.config),
    }


def _split(reference: str) -> dict[str, str]:
    name, _, version = reference.partition("@")
    return {"name": name, "version": version}
