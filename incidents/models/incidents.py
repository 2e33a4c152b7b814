from __future__ import annotations

from django.db import models

from incidents.states import IncidentState
from promptstore.core import clock
from promptstore.core.history import ChangeHistory
from promptstore.core.models import InsertOnlyModel, TenantModel


class Incident(TenantModel):
    """What a breach opened. One open incident per cause (`dedup_key`)."""

    class Severity(models.TextChoices):
        P1 = "P1", "P1 · users are harmed"
        P2 = "P2", "P2 · degraded"
        P3 = "P3", "P3 · minor"
        P4 = "P4", "P4 · informational"

    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    feature = models.ForeignKey("registry.Feature", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    summary = models.TextField(default="")
    severity = models.CharField(max_length=2, choices=Severity.choices)
    state = models.CharField(max_length=20, default=IncidentState.OPEN)
    dedup_key = models.CharField(max_length=120)
    rollout_id = models.UUIDField(null=True)
    release_digest = models.CharField(max_length=71, default="")
    evidence = models.JSONField(default=dict)
    acknowledged_at = models.DateTimeField(null=True)
    mitigated_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    history = ChangeHistory(excluded_fields=["evidence"])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "dedup_key"],
                condition=~models.Q(state="resolved"),
                name="one_open_incident_per_cause",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in IncidentState]),
                name="incident_state_is_known",
            ),
        ]
        indexes = [models.Index(fields=["project", "state", "-id"], name="incident_by_state")]

    def __str__(self) -> str:
        return self.title


class IncidentEntry(TenantModel, InsertOnlyModel):
    """One line of an incident's timeline."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="entries")
    at = models.DateTimeField(default=clock.now)
    kind = models.CharField(max_length=30)
    actor_name = models.CharField(max_length=160)
    text = models.TextField()
    data = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.text
