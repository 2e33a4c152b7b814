from __future__ import annotations

from django.db import models

from promptstore.core.history import ChangeHistory
from promptstore.core.models import TenantModel
from registry.models.base import valid_name


class Feature(TenantModel):
    """A point of inference: the unit that is released."""

    class Risk(models.TextChoices):
        LOW = "low", "Low"
        LIMITED = "limited", "Limited"
        HIGH = "high", "High"

    slug = models.CharField(max_length=80, validators=[valid_name])
    name = models.CharField(max_length=120)
    description = models.TextField(default="", blank=True)
    risk_class = models.CharField(max_length=10, choices=Risk.choices, default=Risk.LIMITED)
    owner = models.ForeignKey("core.User", null=True, on_delete=models.PROTECT, related_name="+")
    history = ChangeHistory()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="feature_slug_is_unique")]

    def __str__(self) -> str:
        return self.slug


class FeatureApprover(TenantModel):
    """A person appointed to approve releases of one feature."""

    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="appointed_approvers")
    user = models.ForeignKey("core.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feature", "user"], name="approver_appointed_once")]
