"""What the management API gives for inferences."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class InferenceOut(serializers.Serializer[Any]):
    """An inference in a list. Money in nano-dollars."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    environment = serializers.CharField(source="environment.slug")
    feature = serializers.CharField()
    arm = serializers.CharField()
    release_version = serializers.CharField()
    release_digest = serializers.CharField()
    prompt = serializers.CharField()
    prompt_version = serializers.CharField()
    model = serializers.CharField()
    model_version = serializers.CharField()
    status = serializers.CharField()
    error_code = serializers.CharField()
    policy_hit = serializers.BooleanField()
    output_valid = serializers.BooleanField(allow_null=True)
    latency_ms = serializers.FloatField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd_nanos = serializers.IntegerField()


class InferenceDetailOut(InferenceOut):
    """One inference with its provenance and its redacted texts."""

    received_at = serializers.DateTimeField()
    rollout = serializers.UUIDField(source="rollout_id", allow_null=True)
    reason = serializers.CharField()
    role = serializers.CharField()
    endpoint = serializers.CharField()
    endpoint_revision = serializers.IntegerField(allow_null=True)
    session = serializers.CharField()
    trace_id = serializers.CharField()
    span_id = serializers.CharField()
    policy_reasons = serializers.ListField(child=serializers.CharField())
    variables_redacted = serializers.JSONField(allow_null=True)
    output_redacted = serializers.CharField(allow_null=True)
    stream = serializers.BooleanField()
    generation = serializers.IntegerField()
    node = serializers.CharField()
