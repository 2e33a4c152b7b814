"""One message on its way, whoever it goes to."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class MessageOut(serializers.Serializer[Any]):
    """`message_id` is what a receiver gets as `webhook-id`."""

    message_id = serializers.CharField()
    event = serializers.CharField()
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField()
    last_status = serializers.IntegerField(allow_null=True)
    last_detail = serializers.CharField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    payload = serializers.JSONField()
