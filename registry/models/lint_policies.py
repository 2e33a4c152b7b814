from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from promptstore.core.history import ChangeHistory
from promptstore.core.models import TenantModel


class LintPolicy(TenantModel):
    """What a project asks of every prompt beyond the rules that always hold. A project without one asks nothing."""

    token_budget = models.PositiveIntegerField(null=True)
    banned_topics = ArrayField(models.CharField(max_length=80), default=list)
    revision = models.PositiveIntegerField(default=1)
    history = ChangeHistory()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project"], name="one_lint_policy_per_project")]

    def __str__(self) -> str:
        return "Prompt rules"
