from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Length

from promptstore.core import clock
from promptstore.core.history import ChangeHistory
from promptstore.core.ids import uuid7
from promptstore.core.models.base import TenantModel

models.CharField.register_lookup(Length)


class Project(models.Model):
    """The tenant: members with roles, keys and policies; every other row belongs to one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.slug


class Membership(TenantModel):
    """A person's roles in a project."""

    user = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=20), default=list)
    history = ChangeHistory()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_person"),
            models.CheckConstraint(
                condition=models.Q(
                    roles__contained_by=[
                        "writer",
                        "engineer",
                        "annotator",
                        "approver",
                        "operator",
                        "auditor",
                        "owner",
                    ]
                ),
                name="membership_roles_are_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"


class Environment(TenantModel):
    """Where releases go: staging, production…. Its policy decides how; a deployment is one feature here."""

    class Kind(models.TextChoices):
        STAGING = "staging", "Staging"
        PRODUCTION = "production", "Production"

    slug = models.SlugField(max_length=63)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="environment_slug_is_unique"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["staging", "production"]), name="environment_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.slug
