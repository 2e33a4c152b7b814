"""People with addresses, and what a worker does so that they hear of something."""

from __future__ import annotations

from typing import Any

from incidents.models import Delivery, NotificationPreference
from incidents.services import deliveries
from incidents.services.preferences import save_preferences
from promptstore.core import outbox
from promptstore.core.models import OutboxMessage
from tests.cast import Cast


def give_addresses(cast: Cast) -> None:
    """Everybody of the cast gets `<role>@<project>.example`."""
    for role, user in cast.users.items():
        user.email = f"{role}@{cast.project.slug}.example"
        user.save(update_fields=["email"])


def tell() -> None:
    """Hand on every message of the outbox that tells people, and send what follows from it."""
    for message in OutboxMessage.objects.filter(topic__startswith="people.", done_at=None).order_by("id"):
        assert outbox.deliver(message.pk), message.last_error
    while deliveries.send_due():
        pass


def told(cast: Cast, role: str, way: str = "email") -> list[str]:
    """The events that somebody of the cast was told of, oldest first."""
    rows = Delivery.objects.filter(recipient=cast.users[role], way=way)
    return list(rows.order_by("id").values_list("event", flat=True))


def choose(cast: Cast, role: str, *, revision: int = 0, **choices: Any) -> tuple[NotificationPreference, str]:
    """Somebody of the cast saves their own choices."""
    return save_preferences(actor=cast.actor(role), project_id=cast.project.pk, revision=revision, **choices)
