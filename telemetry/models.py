"""What production did: one row per inference, and minute rollups that decisions read."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from promptstore.core import clock


class Inference(models.Model):
    """One recorded model call with its provenance, redacted before it was stored.

    `id` and `at` are the serving node's; the database adds `received_at`. Feature and artifacts are kept by name and digest so
    that a row outlives what it speaks of.
    """

    id = models.UUIDField(primary_key=True)
    project = models.ForeignKey("core.Project", on_delete=models.PROTECT, related_name="+")
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    feature = models.CharField(max_length=80)
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    release_digest = models.CharField(max_length=71)
    release_version = models.CharField(max_length=64)
    rollout_id = models.UUIDField(null=True)
    arm = models.CharField(max_length=12)
    reason = models.CharField(max_length=30)
    role = models.CharField(max_length=20)
    prompt = models.CharField(max_length=80)
    prompt_version = models.CharField(max_length=64)
    model = models.CharField(max_length=80)
    model_version = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    endpoint_revision = models.PositiveIntegerField(null=True)
    unit_hash = models.CharField(max_length=64, default="")
    session = models.CharField(max_length=120, default="")
    trace_id = models.CharField(max_length=32, default="")
    span_id = models.CharField(max_length=16, default="")
    status = models.CharField(max_length=20)
    error_code = models.CharField(max_length=60, default="")
    latency_ms = models.FloatField()
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd_nanos = models.BigIntegerField(default=0)
    policy_hit = models.BooleanField(default=False)
    policy_reasons = ArrayField(models.CharField(max_length=80), default=list)
    output_valid = models.BooleanField(null=True)
    variables_redacted = models.JSONField(null=True)
    output_redacted = models.TextField(null=True)
    stream = models.BooleanField(default=False)
    generation = models.BigIntegerField(default=0)
    node = models.CharField(max_length=80, default="")
    # The answered call of which this one is a copy for another release; its own user never saw it.
    paired_with = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["paired_with"], name="inference_by_pair", condition=~models.Q(paired_with=None)
            ),
            models.Index(fields=["environment", "feature", "-at"], name="inference_by_feature"),
            models.Index(fields=["rollout_id", "arm", "-at"], name="inference_by_rollout"),
            models.Index(fields=["trace_id"], name="inference_by_trace", condition=~models.Q(trace_id="")),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Rollup(models.Model):
    """One arm of one feature in one minute. `latency_histogram` maps a log-bucket index to a count (`stats.histogram`).

    Calls are counted in the minute in which they began. The last five columns count what people found (`telemetry.labels`), in the
    minute in which it was settled: such a row may have no calls at all.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("core.Project", on_delete=models.PROTECT, related_name="+")
    environment = models.ForeignKey("core.Environment", on_delete=models.PROTECT, related_name="+")
    feature = models.CharField(max_length=80)
    rollout_id = models.UUIDField()
    release_digest = models.CharField(max_length=71)
    arm = models.CharField(max_length=12)
    minute = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    policy_hits = models.BigIntegerField(default=0)
    validated = models.BigIntegerField(default=0)
    valid = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_usd_nanos = models.BigIntegerField(default=0)
    latency_sum_ms = models.FloatField(default=0)
    latency_histogram = models.JSONField(default=dict)
    # Nodes that store calls do not know of these, and one of the version before may still be at work.
    judged = models.BigIntegerField(default=0, db_default=0)
    hallucinated = models.BigIntegerField(default=0, db_default=0)
    unsupported = models.BigIntegerField(default=0, db_default=0)
    toned = models.BigIntegerField(default=0, db_default=0)
    tone_off = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "feature", "rollout_id", "release_digest", "arm", "minute"],
                name="rollup_key",
            )
        ]
        indexes = [models.Index(fields=["environment", "feature", "-minute"], name="rollup_by_feature")]

    def __str__(self) -> str:
        return f"{self.feature} {self.arm} {self.minute:%H:%M}"
