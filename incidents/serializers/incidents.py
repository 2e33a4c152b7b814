"""What the management API takes and gives for incidents."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.services import MAX_TEXT
from promptstore.core.http.project_views import Input


class IncidentReasonIn(Input):
    reason = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)


class IncidentCommentIn(Input):
    text = serializers.CharField(max_length=MAX_TEXT)


class IncidentOut(serializers.Serializer[Any]):
    """An incident in a list."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    summary = serializers.CharField()
    severity = serializers.CharField()
    state = serializers.CharField()
    environment = serializers.CharField(source="environment.slug")
    feature = serializers.CharField(source="feature.slug")
    rollout = serializers.UUIDField(source="rollout_id", allow_null=True)
    release_digest = serializers.CharField()
    created_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    mitigated_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)


class IncidentEntryOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    actor = serializers.CharField(source="actor_name")
    text = serializers.CharField()


class IncidentActionOut(serializers.Serializer[Any]):
    """What the state offers, and whether the caller may do it."""

    action = serializers.CharField()
    allowed = serializers.BooleanField()


class IncidentDetailOut(serializers.Serializer[Any]):
    """An incident with its timeline, evidence and possible actions. Samples only for those who may read inferences."""

    incident = IncidentOut()
    evidence = serializers.JSONField()
    timeline = IncidentEntryOut(many=True)
    actions = IncidentActionOut(many=True)
