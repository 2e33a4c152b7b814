"""What the management API takes and gives for notification channels. Addresses and secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.models import Incident, NotificationChannel
from incidents.notifications.kinds import KINDS
from incidents.notifications.snapshot import INCIDENT_EVENTS
from incidents.serializers.messages import MessageOut
from incidents.services.addresses import MAX_URL_CHARS
from incidents.services.channels import MAX_SECRET_CHARS
from promptstore.core.http.project_views import Input

_EVENTS = [event.value for event in INCIDENT_EVENTS]


class ChannelIn(Input):
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=list(KINDS))
    url = serializers.CharField(
        max_length=MAX_URL_CHARS,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="PagerDuty has a default.",
    )
    secret = serializers.CharField(
        max_length=MAX_SECRET_CHARS,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Signing secret, routing key or bearer token; a webhook's is made where none is given.",
    )
    events = serializers.ListField(child=serializers.ChoiceField(choices=_EVENTS), required=False)
    min_severity = serializers.ChoiceField(choices=Incident.Severity.choices, required=False)
    allow_private = serializers.BooleanField(required=False)


class ChannelChangeIn(Input):
    url = serializers.CharField(max_length=MAX_URL_CHARS, required=False, write_only=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=_EVENTS), required=False)
    min_severity = serializers.ChoiceField(choices=Incident.Severity.choices, required=False)
    allow_private = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)


class ChannelSecretIn(Input):
    secret = serializers.CharField(
        max_length=MAX_SECRET_CHARS, required=False, allow_blank=True, write_only=True
    )


class ReplayIn(Input):
    message_id = serializers.CharField(max_length=40)


class ChannelOut(serializers.ModelSerializer[NotificationChannel]):
    """A channel; `destination` is the origin of its address."""

    has_secret = serializers.SerializerMethodField()

    class Meta:
        model = NotificationChannel
        fields = [
            "id",
            "name",
            "kind",
            "destination",
            "events",
            "min_severity",
            "allow_private",
            "enabled",
            "disabled_because",
            "has_secret",
            "previous_valid_until",
            "revision",
            "created_at",
        ]
        read_only_fields = fields

    def get_has_secret(self, channel: NotificationChannel) -> bool:
        return channel.sealed_secret is not None


class ChannelWithSecretOut(serializers.Serializer[Any]):
    """A channel and the secret that was made for it, shown this once; empty where the caller gave one or none is used."""

    channel = ChannelOut()
    secret = serializers.CharField(allow_blank=True)


class DeliveryOut(MessageOut):
    """One message to a channel."""

    incident = serializers.UUIDField(source="incident_id", allow_null=True)
