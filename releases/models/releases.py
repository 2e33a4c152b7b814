from __future__ import annotations

from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel


class Release(TenantModel, InsertOnlyModel):
    """The immutable manifest of one feature: pinned prompt, model and config versions under one digest."""

    feature = models.ForeignKey("registry.Feature", on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=64)
    manifest = models.JSONField()
    digest = models.CharField(max_length=71)
    changelog = models.TextField(default="")
    composed_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    # Everyone who made something new in this release: prompt authors, publishers, the composer. None of them may approve it.
    contributors = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feature", "version"], name="release_version_is_unique"),
            models.UniqueConstraint(fields=["project", "digest"], name="release_digest_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.feature.slug} {self.version}"
