from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from promptstore.core import clock
from promptstore.core.models import InsertOnlyModel, TenantModel
from registry.models.base import ArtifactVersion, NamedArtifact


class Prompt(NamedArtifact):
    """A prompt by name; its text lives in drafts and versions."""

    owner = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="prompt_name_is_unique")]
        indexes = [GinIndex(fields=["name"], name="prompt_name_trigram", opclasses=["gin_trgm_ops"])]


class PromptDraft(TenantModel):
    """The mutable working copy. `revision` is the optimistic lock: a save names the revision it started from."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="drafts")
    name = models.CharField(max_length=80, default="main")
    body = models.JSONField()
    example_inputs = models.JSONField(default=list)
    base_version = models.CharField(max_length=64, default="")
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=clock.now)
    updated_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    # Ids of everyone who saved since the last publish: the authors of what is published next.
    contributors = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "name"], name="draft_name_is_unique")]

    def __str__(self) -> str:
        return f"{self.prompt.name} ({self.name})"


class PromptVersion(ArtifactVersion):
    """Immutable messages, input and output schema, tools and parameters."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="versions")
    body = models.JSONField()
    example_inputs = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    token_counts = models.JSONField(default=dict)
    # Ids of the people whose work this version is; none of them may approve a release that introduces it.
    authors = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "version"], name="prompt_version_is_unique")]
        indexes = [models.Index(fields=["project", "digest"], name="prompt_version_by_digest")]

    def __str__(self) -> str:
        return f"{self.prompt.name}@{self.version}"


class PromptWithdrawal(TenantModel, InsertOnlyModel):
    """A version that new releases may not use any more."""

    version = models.OneToOneField(PromptVersion, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.TextField()
    withdrawn_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
