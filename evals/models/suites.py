from __future__ import annotations

from django.db import models

from registry.models.base import ArtifactVersion, NamedArtifact


class Suite(NamedArtifact):
    """Suite versions by name."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="suite_name_is_unique")]


class SuiteVersion(ArtifactVersion):
    """An immutable suite. `body` is `evals.suites.SuiteSpec` as JSON, with every default filled in."""

    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="versions")
    body = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suite", "version"], name="suite_version_is_unique"),
        ]
        indexes = [models.Index(fields=["project", "digest"], name="suite_version_by_digest")]

    def __str__(self) -> str:
        return f"{self.suite.name}@{self.version}"
