"""What the outbox owes to this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from incidents.services.deliveries import send_delivery
from incidents.services.people import tell_of_incident


def send(payload: Mapping[str, Any]) -> None:
    """The first attempt, or a replay's. What fails is tried again by the timetable, so this never raises for a receiver."""
    send_delivery(delivery_id=UUID(payload["delivery_id"]))


def people(payload: Mapping[str, Any]) -> None:
    """Tell the people who want to hear of an incident."""
    tell_of_incident(**{**payload, "incident_id": UUID(payload["incident_id"])})
