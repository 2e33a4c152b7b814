from __future__ import annotations

from django.db import models

from evals.states import ProbeOutcome
from promptstore.core import clock
from promptstore.core.models import InsertOnlyModel, TenantModel


class ProbeRun(TenantModel, InsertOnlyModel):
    """One time that an entry was asked its probe set. The id is the ticket that asked for it, so that it is run once.

    `cases` holds each `evals.probes.ProbeCase` with its answers, redacted, and what the comparison says of it; `difference`,
    `lower` and `upper` are shares (0 to 1) and null where nothing was compared.
    """

    entry = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    baseline = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12)
    # `{"name", "version", "digest"}`
    probe_set = models.JSONField()
    asked_by = models.CharField(max_length=160)
    endpoint_revision = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    threshold = models.FloatField()
    difference = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    # The names that the provider gave itself in its answers.
    provider_models = models.JSONField(default=list)
    cases = models.JSONField(default=list)
    summary = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=[outcome.value for outcome in ProbeOutcome]),
                name="probe_outcome_is_known",
            )
        ]
        indexes = [models.Index(fields=["entry", "-id"], name="probe_run_by_entry")]

    def __str__(self) -> str:
        return f"{self.entry}: {self.outcome}"


class DriftProbe(TenantModel):
    """What is known about probing one entry: its baseline, when it is due, and the run that is under way.

    Its row is the lock under which runs begin and end. `ticket` is the id of the run that was asked for and has not ended;
    `claimed_until` says until when a worker is at it.
    """

    entry = models.OneToOneField("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    baseline = models.ForeignKey(ProbeRun, null=True, on_delete=models.PROTECT, related_name="+")
    ticket = models.UUIDField(null=True)
    asked_by = models.CharField(max_length=160, default="")
    asked_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=clock.now)
    # How many runs in a row could not be read.
    unreadable_runs = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="drift_probe_by_due")]

    def __str__(self) -> str:
        return f"drift probe of {self.entry}"
