from __future__ import annotations

from typing import Any

from rest_framework import serializers

from promptstore.core.http.project_views import Input
from registry.models import Endpoint
from registry.probes import PROBES


class ProbeResultSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    detail = serializers.CharField()
    latency_ms = serializers.IntegerField(allow_null=True)


class LastCheckSerializer(ProbeResultSerializer):
    at = serializers.DateTimeField()
    revision = serializers.IntegerField()


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """The key itself is never shown, only whether there is one and its last characters."""

    has_key = serializers.SerializerMethodField()
    key_hint = serializers.CharField(source="credential.hint", read_only=True, default="")
    last_check = LastCheckSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Endpoint
        fields = [
            "id",
            "name",
            "protocol",
            "base_url",
            "allow_private",
            "revision",
            "has_key",
            "key_hint",
            "last_check",
            "created_at",
        ]
        read_only_fields = fields

    def get_has_key(self, endpoint: Endpoint) -> bool:
        return endpoint.credential_id is not None


class EndpointCreateSerializer(Input):
    name = serializers.CharField(max_length=80)
    protocol = serializers.ChoiceField(choices=sorted(PROBES))
    base_url = serializers.CharField(max_length=300)
    api_key = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, default=None, write_only=True
    )
    allow_private = serializers.BooleanField(required=False, default=False)
    force = serializers.BooleanField(
        required=False, default=False, help_text="Save although the probe fails."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Required with `force`."
    )


class EndpointUpdateSerializer(Input):
    """Members that are left out keep their value; an empty `api_key` removes the key."""

    base_url = serializers.CharField(required=False, max_length=300)
    api_key = serializers.CharField(required=False, allow_blank=True, write_only=True)
    allow_private = serializers.BooleanField(required=False)
    force = serializers.BooleanField(
        required=False, default=False, help_text="Save although the probe fails."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Required with `force`."
    )
