from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from promptstore.core.history import ChangeHistory
from promptstore.core.models import TenantModel


class NotificationPreference(TenantModel):
    """What one person wants to be told of one project, and how. Without a row, their roles say what is usual.

    The address of a personal webhook often carries a secret, so it is sealed like one; `destination` is its origin.
    """

    user = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")
    email_events = ArrayField(models.CharField(max_length=40), default=list)
    webhook_events = ArrayField(models.CharField(max_length=40), default=list)
    destination = models.CharField(max_length=300, default="")
    sealed_url = models.BinaryField(null=True)
    sealed_secret = models.BinaryField(null=True)
    webhook_off_because = models.CharField(max_length=200, default="")
    revision = models.PositiveIntegerField(default=1)
    history = ChangeHistory(excluded_fields=["sealed_url", "sealed_secret"])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"], name="one_notification_preference_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(sealed_url__isnull=True) | models.Q(sealed_secret__isnull=False),
                name="personal_webhook_is_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"notifications of {self.user}"
