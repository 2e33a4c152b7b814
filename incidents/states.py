"""The states of an incident and what may happen to it, and those of a message about it. No Django."""

from __future__ import annotations

from enum import StrEnum

from promptstore.core.machines import Machine, next_state, rows

__all__ = ["INCIDENT", "DeliveryState", "IncidentState", "next_state"]


class IncidentState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


_S = IncidentState

INCIDENT: Machine[IncidentState] = Machine(
    name="incident",
    states=IncidentState,
    initial=_S.OPEN,
    transitions=(
        *rows("acknowledge", (_S.OPEN,), _S.ACKNOWLEDGED, "incident.acknowledge"),
        # Whoever ends the harm first need not have clicked "acknowledge" before.
        *rows("mitigate", (_S.OPEN, _S.ACKNOWLEDGED), _S.MITIGATED, "incident.mitigate"),
        *rows("resolve", (_S.MITIGATED,), _S.RESOLVED, "incident.resolve"),
    ),
)


class DeliveryState(StrEnum):
    """Of a message to a channel. A replay makes a finished one pending again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
