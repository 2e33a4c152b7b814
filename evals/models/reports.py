from __future__ import annotations

from django.db import models

from evals.states import Verdict
from promptstore.core.models import InsertOnlyModel, TenantModel


class GateReport(TenantModel, InsertOnlyModel):
    """What a gate found about one release: a JSON document (`evals.reports`), kept for ever under its digest."""

    gate = models.CharField(max_length=30)
    release_digest = models.CharField(max_length=71)
    verdict = models.CharField(max_length=12)
    body = models.JSONField()
    digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "digest"], name="report_digest_is_unique"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=[verdict.value for verdict in Verdict]),
                name="report_verdict_is_known",
            ),
        ]
        indexes = [models.Index(fields=["project", "release_digest", "gate"], name="report_by_release")]

    def __str__(self) -> str:
        return f"{self.gate}: {self.verdict}"
