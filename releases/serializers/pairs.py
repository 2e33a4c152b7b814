"""The answers of two releases to the same call."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class AnswerOut(serializers.Serializer[Any]):
    """One release's answer, redacted; `text` is null where there was none. Money in nano-dollars."""

    id = serializers.UUIDField()
    release = serializers.CharField()
    arm = serializers.CharField()
    status = serializers.CharField()
    text = serializers.CharField(allow_null=True)
    latency_ms = serializers.FloatField()
    cost_usd_nanos = serializers.IntegerField()


class PairOut(serializers.Serializer[Any]):
    """`old` is stable's answer, `new` the candidate's; `shown` is the arm whose answer the user got."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    variables = serializers.JSONField(allow_null=True)
    old = AnswerOut()
    new = AnswerOut()
    shown = serializers.CharField()
    differs = serializers.BooleanField()
