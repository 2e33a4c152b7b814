"""Channels to test with."""

from __future__ import annotations

from typing import Any

from incidents.models import Delivery, NotificationChannel
from incidents.services.channels import create_channel
from tests.cast import Cast
from tests.incidents.receivers import Receiver

# HMAC key of 24 bytes: the specification's example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


def channel(cast: Cast, hook: Receiver, kind: str = "webhook", **changes: Any) -> NotificationChannel:
    """A channel of acme to the receiver, made by an owner."""
    secrets = {"webhook": SECRET, "pagerduty": ROUTING_KEY}
    fields: dict[str, Any] = {
        "actor": cast.actor("owner"),
        "project_id": cast.project.pk,
        "name": kind,
        "kind": kind,
        "url": hook.url,
        "secret": secrets.get(kind, ""),
        "allow_private": True,
        **changes,
    }
    return create_channel(**fields)[0]


def sent_states(row: NotificationChannel) -> list[tuple[str, str]]:
    """Event and state of a channel's messages, oldest first."""
    return list(Delivery.objects.filter(channel=row).order_by("id").values_list("event", "state"))
