"""Reads of notification channels and of the messages sent to them. Addresses and secrets are never among them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from incidents.models import Delivery, NotificationChannel
from incidents.states import DeliveryState
from promptstore.core.errors import NotFound


def channels(*, project_id: UUID) -> QuerySet[NotificationChannel]:
    """A project's channels, newest first, each with `pending` and `failed`: its messages in that state."""
    counted = {
        state.value: Count("deliveries", filter=Q(deliveries__state=state))
        for state in (DeliveryState.PENDING, DeliveryState.FAILED)
    }
    return NotificationChannel.objects.filter(project_id=project_id).annotate(**counted).order_by("-id")


def channel_detail(*, project_id: UUID, name: str) -> NotificationChannel:
    """One channel by its name; raises `NotFound`."""
    found = channels(project_id=project_id).filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no notification channel “{name}” in this project.", field="name")
    return found


def deliveries(*, channel_id: UUID) -> QuerySet[Delivery]:
    """A channel's messages, newest first."""
    return Delivery.objects.filter(channel_id=channel_id).select_related("incident").order_by("-id")


def delivery_by_message_id(*, channel_id: UUID, message_id: str) -> Delivery:
    """A channel's message by the id that its receiver knows; raises `NotFound`."""
    key: UUID | None
    try:
        key = UUID(message_id.removeprefix("msg_"))
    except ValueError:
        key = None
    found = deliveries(channel_id=channel_id).filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("This channel has no such message.", field="message_id")
    return found


def destinations(
    *, project_id: UUID, severity: str, event: str, always: list[str]
) -> QuerySet[NotificationChannel]:
    """The enabled channels that want `event` of an incident of `severity`; kinds in `always` want every event."""
    return NotificationChannel.objects.filter(
        Q(events__contains=[event]) | Q(kind__in=always),
        project_id=project_id,
        enabled=True,
        min_severity__gte=severity,  # P1 is the gravest
    ).order_by("id")
