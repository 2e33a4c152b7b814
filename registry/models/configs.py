from __future__ import annotations

from django.db import models

from registry.models.base import ArtifactVersion, NamedArtifact


class ServingConfig(NamedArtifact):
    """A serving configuration by name."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="config_name_is_unique")]


class ServingConfigVersion(ArtifactVersion):
    """Immutable: limits, policy filter, safe mode, what happens to withdrawn units. Schema in `registry.configs`."""

    config = models.ForeignKey(ServingConfig, on_delete=models.PROTECT, related_name="versions")
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["config", "version"], name="config_version_is_unique")]

    def __str__(self) -> str:
        return f"{self.config.name}@{self.version}"
