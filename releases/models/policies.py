from __future__ import annotations

from django.db import models

from promptstore.core.models import InsertOnlyModel, TenantModel


class EnvironmentPolicy(TenantModel, InsertOnlyModel):
    """What an environment asks of a promotion: gates, quorum, plan, rules. The highest `number` is in force."""

    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    digest = models.CharField(max_length=71)
    changed_by = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "number"], name="policy_number_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.environment.slug} policy {self.number}"
