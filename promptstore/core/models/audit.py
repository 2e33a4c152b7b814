from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper

from promptstore.core import clock
from promptstore.core.ids import uuid7
from promptstore.core.models.base import InsertOnlyModel, TenantModel


class AuditEvent(InsertOnlyModel):
    """Who did what to which object, written in the same transaction as the change itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey("core.Project", null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=160)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(default="")

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_by_project"),
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["project", "actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["project", "action", "-id"], name="audit_by_action"),
            models.Index(fields=["project", "object_id", "-id"], name="audit_by_project_object"),
            models.Index(fields=["project", "-at"], name="audit_by_time"),
            # What `icontains` asks for, so that a rare word does not read a year of events.
            GinIndex(
                OpClass(Upper("actor_name"), name="gin_trgm_ops"),
                OpClass(Upper("object_label"), name="gin_trgm_ops"),
                OpClass(Upper("reason"), name="gin_trgm_ops"),
                name="audit_by_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_label}"


class AuditPending(models.Model):
    """Events that wait for the sealer; a row lives for seconds."""

    event = models.OneToOneField(AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="+")


class AuditSeal(InsertOnlyModel):
    """An event's place in the chain: `chain = sha256(previous chain, sequence, event digest)`."""

    sequence = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    event_digest = models.CharField(max_length=71)
    chain_digest = models.CharField(max_length=71)
    sealed_at = models.DateTimeField(default=clock.now)


class AuditCheckpoint(InsertOnlyModel):
    """A signature over the chain up to a sequence number; a copy kept elsewhere reveals a truncated tail."""

    sequence = models.BigIntegerField(primary_key=True)
    chain_digest = models.CharField(max_length=71)
    key = models.ForeignKey("core.SigningKey", on_delete=models.PROTECT, related_name="+")
    signature = models.BinaryField()
    signed_at = models.DateTimeField(default=clock.now)


class AuditVerification(TenantModel):
    """One check of the whole log that somebody asked for: how far it has come, and what it found.

    It works through the log in pieces, each in a transaction of its own, so a page may be left and found again.
    """

    asked_by = models.CharField(max_length=160)
    expected = models.BigIntegerField()
    sequence = models.BigIntegerField(default=0)
    found = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="audit_verif_by_project")]
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=models.Q(finished_at__isnull=True),
                name="audit_one_verification",
            )
        ]

    def __str__(self) -> str:
        return "the audit log"
