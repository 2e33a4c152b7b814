"""What a message may tell: an incident as it was at one event. Sample inputs and outputs stay in the product."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Event(StrEnum):
    OPENED = "incident.opened"
    REPEATED = "incident.repeated"
    ACKNOWLEDGED = "incident.acknowledged"
    MITIGATED = "incident.mitigated"
    RESOLVED = "incident.resolved"
    TEST = "notification.test"


# What a channel may ask for; a test goes to whoever asked for it.
INCIDENT_EVENTS: Final = tuple(event for event in Event if event is not Event.TEST)


@dataclass(frozen=True, slots=True)
class IncidentSnapshot:
    """One incident at one event. Moments are ISO 8601 in UTC, empty where they have not come; `url` is its page."""

    event: Event
    at: str
    actor: str
    said: str
    id: str
    url: str
    project: str
    environment: str
    feature: str
    title: str
    summary: str
    severity: str
    state: str
    dedup_key: str
    rollout_id: str
    release_digest: str
    opened_at: str
    acknowledged_at: str
    mitigated_at: str
    resolved_at: str
    broken_rules: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.feature} in {self.environment}"

    @property
    def cause(self) -> str:
        """Names the cause across projects; it is the same from the trigger to the resolution."""
        return f"{self.project}/{self.dedup_key}"
