from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel

NAME_PATTERN = r"^[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?$"
valid_name = RegexValidator(
    NAME_PATTERN, "Use lower-case letters, digits, dots, dashes and underscores (2 to 80)."
)


class NamedArtifact(TenantModel):
    """A name that versions hang on."""

    name = models.CharField(max_length=80, validators=[valid_name])
    description = models.TextField(default="", blank=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class ArtifactVersion(TenantModel, InsertOnlyModel):
    """An immutable semantic version. `digest` covers name, version and content."""

    version = models.CharField(max_length=64)
    # Sorts as versions do (`registry.versioning.order_key`), which their text does not.
    version_order = models.CharField(max_length=200, editable=False)
    digest = models.CharField(max_length=71)
    changelog = models.TextField(default="")
    published_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
