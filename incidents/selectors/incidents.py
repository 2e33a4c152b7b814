"""Reads: the list, its counts, one incident with its timeline and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from incidents.models import Incident, IncidentEntry
from incidents.states import INCIDENT, IncidentState
from promptstore.core.actors import Actor
from promptstore.core.errors import NotFound
from promptstore.core.permissions import allows


@dataclass(frozen=True, slots=True)
class IncidentCounts:
    """How many incidents are in each state; `unresolved` is all but the resolved ones."""

    open: int
    acknowledged: int
    mitigated: int
    resolved: int

    @property
    def unresolved(self) -> int:
        return self.open + self.acknowledged + self.mitigated


@dataclass(frozen=True, slots=True)
class PossibleAction:
    """A transition that the incident's state offers, and whether this actor may take it."""

    action: str
    permission: str
    allowed: bool


def incident_list(
    *,
    project_id: UUID,
    state: str = "",
    severity: str = "",
    environment_id: UUID | None = None,
    feature: str = "",
) -> QuerySet[Incident]:
    """A project's incidents, newest first. `state` is a state or `unresolved`; empty filters filter nothing."""
    found = Incident.objects.filter(project_id=project_id).select_related("environment", "feature")
    if state == "unresolved":
        found = found.exclude(state=IncidentState.RESOLVED)
    elif state:
        found = found.filter(state=state)
    if severity:
        found = found.filter(severity=severity)
    if environment_id:
        found = found.filter(environment_id=environment_id)
    if feature:
        found = found.filter(feature__slug=feature)
    return found.order_by("-id")


def incident_counts(*, project_id: UUID, environment_id: UUID | None = None) -> IncidentCounts:
    """Counts by state in one query."""
    found = Incident.objects.filter(project_id=project_id)
    if environment_id:
        found = found.filter(environment_id=environment_id)
    counts = found.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in IncidentState})
    return IncidentCounts(**counts)


def incident_detail(*, project_id: UUID, incident_id: UUID) -> Incident:
    """One incident with environment and feature; raises `NotFound`, also for another project's."""
    found = (
        Incident.objects.select_related("environment", "feature")
        .filter(pk=incident_id, project_id=project_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such incident in this project.", field="incident")
    return found


def timeline(*, incident_id: UUID) -> QuerySet[IncidentEntry]:
    """An incident's entries, oldest first."""
    return IncidentEntry.objects.filter(incident_id=incident_id).order_by("at", "id")


def possible_actions(incident: Incident, *, actor: Actor) -> list[PossibleAction]:
    """What the state offers, in the machine's order."""
    return [
        PossibleAction(
            action=row.action,
            permission=row.permission,
            allowed=allows(actor, row.permission, project_id=incident.project_id),
        )
        for row in INCIDENT.outgoing(IncidentState(incident.state))
    ]
