"""What the management API gives for audit events."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from promptstore.core.models import AuditEvent


class AuditActorOut(serializers.Serializer[Any]):
    kind = serializers.CharField(source="actor_kind")
    id = serializers.CharField(source="actor_id")
    name = serializers.CharField(source="actor_name")


class AuditObjectOut(serializers.Serializer[Any]):
    type = serializers.CharField(source="object_type")
    id = serializers.CharField(source="object_id")
    name = serializers.CharField(source="object_label")


class AuditSealOut(serializers.Serializer[Any]):
    """An event's place in the chain."""

    sequence = serializers.IntegerField()
    event_digest = serializers.CharField()
    chain_digest = serializers.CharField()
    sealed_at = serializers.DateTimeField()


class AuditEventOut(serializers.Serializer[Any]):
    """Who did what. `seal` is null for the seconds until the sealer has come by."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor = AuditActorOut(source="*")
    action = serializers.CharField()
    object = AuditObjectOut(source="*")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    reason = serializers.CharField()
    seal = serializers.SerializerMethodField()

    @extend_schema_field(AuditSealOut(allow_null=True))
    def get_seal(self, event: AuditEvent) -> Any:
        seal = getattr(event, "seal", None)
        return AuditSealOut(seal).data if seal else None
