from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from promptstore.core import clock
from promptstore.core.models.base import TenantModel

# How a presented key is told apart, by kind.
KEY_PREFIXES = {"service": "ps_", "personal": "pt_"}


class ApiKey(TenantModel):
    """A service key (`ps_…`, one project and environment, scoped) or a personal token (`pt_…`, its owner's rights).

    256 random bits, shown once; only the SHA-256 is kept.
    """

    class Kind(models.TextChoices):
        SERVICE = "service", "Service key"
        PERSONAL = "personal", "Personal token"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120)
    environment = models.ForeignKey("core.Environment", null=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    scopes = ArrayField(models.CharField(max_length=20), default=list)
    created_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True)
    # On the management API, to within a few minutes; serving nodes check keys without the database.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="service", environment__isnull=False, user__isnull=True)
                | models.Q(kind="personal", environment__isnull=True, user__isnull=False),
                name="api_key_is_of_one_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @property
    def shown(self) -> str:
        """What may be shown of the secret: its prefix and its end."""
        return f"{KEY_PREFIXES[self.kind]}…{self.hint}"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked` at this moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= clock.now() else "active"


class Credential(TenantModel):
    """A provider's secret, encrypted under the master key. It is never shown again, only replaced."""

    name = models.CharField(max_length=120)
    sealed = models.BinaryField()
    hint = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="credential_name_is_unique")]

    def __str__(self) -> str:
        return self.name


class SigningKey(models.Model):
    """An Ed25519 key that signs snapshots or audit checkpoints; rotated with overlap, never deleted."""

    key_id = models.CharField(max_length=40, primary_key=True)
    purpose = models.CharField(max_length=20)
    public_key = models.BinaryField()
    sealed_private_key = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key_id
