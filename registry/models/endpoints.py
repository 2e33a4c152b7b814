from __future__ import annotations

from django.db import models

from promptstore.core.history import ChangeHistory
from promptstore.core.models import TenantModel
from registry.models.base import valid_name


class Endpoint(TenantModel):
    """How to reach a model. Mutable; every change makes a new `revision`, which each inference records."""

    name = models.CharField(max_length=80, validators=[valid_name])
    protocol = models.CharField(max_length=30)
    base_url = models.URLField(max_length=300)
    credential = models.ForeignKey("core.Credential", null=True, on_delete=models.PROTECT, related_name="+")
    allow_private = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    # The latest probe: `{"ok", "detail", "latency_ms", "at", "revision"}`.
    last_check = models.JSONField(null=True)
    history = ChangeHistory(excluded_fields=["last_check"])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="endpoint_name_is_unique")]

    def __str__(self) -> str:
        return self.name
