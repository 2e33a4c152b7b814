from __future__ import annotations

from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel
from registry.datasets import CaseContent, SourceKind
from registry.models.base import ArtifactVersion, NamedArtifact, valid_name

_SOURCES = [
    (SourceKind.MANUAL.value, "Written by hand"),
    (SourceKind.IMPORT.value, "Imported"),
    (SourceKind.INFERENCE.value, "An inference"),
    (SourceKind.REVIEW.value, "A review"),
]


class Dataset(NamedArtifact):
    """Cases by name. A project has at most one of kind `danger`: its former failures."""

    class Kind(models.TextChoices):
        HELD_OUT = "held_out", "Held out"
        DANGER = "danger", "Danger set"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.HELD_OUT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="dataset_name_is_unique"),
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(kind="danger"), name="one_danger_set_per_project"
            ),
        ]


class DatasetCase(TenantModel):
    """One case as it is or was. A change makes a new row that supersedes this one.

    `content` (`registry.datasets.CaseContent`) never changes; erasing it nulls content and salt and leaves the commitment, which a
    trigger of the database holds to. A row is current while it is neither superseded nor removed nor erased.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="cases")
    key = models.CharField(max_length=80, validators=[valid_name])
    revision = models.PositiveIntegerField(default=1)
    feature = models.ForeignKey("registry.Feature", null=True, on_delete=models.PROTECT, related_name="+")
    content = models.JSONField(null=True)
    salt = models.CharField(max_length=64, null=True)
    commitment = models.CharField(max_length=71)
    source_kind = models.CharField(max_length=10, choices=_SOURCES, default=SourceKind.MANUAL.value)
    source_ref = models.CharField(max_length=200, default="", blank=True)
    added_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    superseded_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    erased_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "key"],
                condition=models.Q(
                    superseded_at__isnull=True, removed_at__isnull=True, erased_at__isnull=True
                ),
                name="one_current_case_per_key",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=False, content__isnull=True, salt__isnull=True)
                | models.Q(erased_at__isnull=True, content__isnull=False, salt__isnull=False),
                name="erased_case_has_no_content",
            ),
        ]
        indexes = [models.Index(fields=["dataset", "key"], name="case_by_key")]

    def __str__(self) -> str:
        return f"{self.dataset.name}/{self.key}"

    @property
    def said(self) -> CaseContent | None:
        """The content, or None once it is erased."""
        return None if self.content is None else CaseContent.stored(self.content)


class DatasetVersion(ArtifactVersion):
    """Frozen cases. The digest covers a commitment to each, so that one can be erased and it still verifies."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    case_count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "version"], name="dataset_version_is_unique")
        ]
        indexes = [models.Index(fields=["project", "digest"], name="dataset_version_by_digest")]

    def __str__(self) -> str:
        return f"{self.dataset.name}@{self.version}"


class DatasetVersionCase(TenantModel, InsertOnlyModel):
    """A case's place in a frozen version, from 1."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="places")
    position = models.PositiveIntegerField()
    case = models.ForeignKey(DatasetCase, on_delete=models.PROTECT, related_name="places")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="one_case_per_place"),
            models.UniqueConstraint(fields=["version", "case"], name="case_frozen_once"),
        ]
