from __future__ import annotations

from django.db import models

from registry.models.base import ArtifactVersion, NamedArtifact


class LanguageModel(NamedArtifact):
    """A model by name; what runs is one of its versions."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="model_name_is_unique")]


class ModelVersion(ArtifactVersion):
    """An immutable entry: a self-hosted artifact, or a hosted provider's model at the time of a snapshot.

    The JSON columns hold what `registry.entries` describes and checks.
    """

    class Kind(models.TextChoices):
        HOSTED = "hosted", "Hosted by a provider"
        SELF_HOSTED = "self_hosted", "Self-hosted"

    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="versions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    provider = models.CharField(max_length=60)
    provider_model_id = models.CharField(max_length=200)
    snapshot_at = models.DateTimeField(null=True)
    endpoint = models.ForeignKey("registry.Endpoint", on_delete=models.PROTECT, related_name="model_versions")
    checksum = models.CharField(max_length=80, default="")
    weights = models.JSONField(default=dict)
    training = models.JSONField(default=dict)
    tokenizer = models.JSONField(default=dict)
    runtime = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    service_level = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    price = models.JSONField(null=True)
    context_tokens = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="model_version_is_unique"),
            models.CheckConstraint(
                condition=~models.Q(kind="hosted") | models.Q(snapshot_at__isnull=False),
                name="hosted_entry_has_snapshot_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model.name}@{self.version}"
