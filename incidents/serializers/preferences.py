"""What the management API takes and gives for a person's own notifications. The webhook's address goes in and never comes out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.models import Delivery
from incidents.notifications.personal.events import ALL
from incidents.serializers.messages import MessageOut
from incidents.services.addresses import MAX_URL_CHARS
from promptstore.core.http.project_views import Input

EVENTS = [event.value for event in ALL]
_WAYS = [Delivery.Way.EMAIL.value, Delivery.Way.WEBHOOK.value]


class PreferencesIn(Input):
    email = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS), allow_empty=True)
    webhook = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS), allow_empty=True)
    webhook_url = serializers.CharField(
        max_length=MAX_URL_CHARS,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Where your messages are posted; empty removes the webhook, absent keeps it.",
    )


class PreferencesOut(serializers.Serializer[Any]):
    """What the person hears by which way. `no_mail` says why no e-mail can be sent, and is empty when one can.

    `secret` signs the webhook's messages; it is filled in the one answer that made it.
    """

    email = serializers.ListField(child=serializers.CharField())
    webhook = serializers.ListField(child=serializers.CharField())
    address = serializers.CharField()
    no_mail = serializers.CharField()
    destination = serializers.CharField()
    webhook_off_because = serializers.CharField()
    revision = serializers.IntegerField()
    secret = serializers.CharField(allow_blank=True)


class OwnTestIn(Input):
    way = serializers.ChoiceField(choices=_WAYS)


class OwnMessageOut(MessageOut):
    """One message to the person."""

    way = serializers.CharField()
