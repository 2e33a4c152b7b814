"""What may happen to an incident. Each function is one transaction: permission, lock, change, timeline, audit, outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from incidents.models import Incident, IncidentEntry
from incidents.notifications.snapshot import Event
from incidents.services.outgoing import tell
from incidents.states import INCIDENT, IncidentState
from promptstore.core import audit, clock, machines, outbox
from promptstore.core.actors import Actor, ActorKind
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.permissions import require

MAX_TEXT = 4_000
_PERMISSIONS = {row.action: row.permission for row in INCIDENT.transitions}


def open_incident(
    *,
    actor: Actor,
    project_id: UUID,
    environment_id: UUID,
    feature_id: UUID,
    title: str,
    summary: str,
    severity: str,
    dedup_key: str,
    rollout_id: UUID | None,
    release_digest: str,
    evidence: Mapping[str, Any],
) -> Incident:
    """Open an incident, or add to the timeline of the unresolved one with the same cause (`dedup_key`).

    Incidents are opened by the product; a person is refused (`NotAllowed`). A repeated breach may raise the
    severity, never lower it, and keeps the evidence of the first one. Raises `InvalidInput` for an unknown
    severity. Locks the incident that is open already.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Incidents are opened by what detects them; comment on an open one instead.")
    if severity not in Incident.Severity.values:
        raise InvalidInput(f"Use one of {', '.join(Incident.Severity.values)}.", field="severity")
    with transaction.atomic():
        known = _lock_unresolved(project_id, dedup_key)
        if known is not None:
            return _repeat(actor, known, summary=summary, severity=severity)
        try:
            with transaction.atomic():
                incident = Incident.objects.create(
                    project_id=project_id,
                    environment_id=environment_id,
                    feature_id=feature_id,
                    title=title[:200],
                    summary=summary,
                    severity=severity,
                    dedup_key=dedup_key,
                    rollout_id=rollout_id,
                    release_digest=release_digest,
                    evidence=dict(evidence),
                )
        except IntegrityError:
            # Somebody else opened it between our look and our insert; theirs is visible now.
            known = _lock_unresolved(project_id, dedup_key)
            if known is None:
                raise
            return _repeat(actor, known, summary=summary, severity=severity)
        _note(actor, incident, kind="opened", text=summary or title)
        audit.record(
            actor=actor,
            action="incident.opened",
            target=incident,
            project_id=project_id,
            after={"state": incident.state, "severity": severity, "dedup_key": dedup_key},
            reason=summary,
        )
        tell(actor, incident, Event.OPENED, said=summary or title)
    return incident


def acknowledge(*, actor: Actor, project_id: UUID, incident_id: UUID, reason: str = "") -> Incident:
    """Say that somebody is at it. Raises `TransitionRefused` unless the incident is open."""
    return _move(actor, project_id, incident_id, action="acknowledge", said="Acknowledged.", reason=reason)


def mitigate(*, actor: Actor, project_id: UUID, incident_id: UUID, reason: str = "") -> Incident:
    """Say that users are safe again: withdrawn units return to the stable release.

    Raises `TransitionRefused` once it is mitigated or resolved. Owes `incident.mitigated` to the outbox.
    """
    with transaction.atomic():
        incident = _move(actor, project_id, incident_id, action="mitigate", said="Mitigated.", reason=reason)
        outbox.emit(
            "incident.mitigated",
            {
                "incident_id": str(incident.id),
                "environment_id": str(incident.environment_id),
                "rollout_id": str(incident.rollout_id) if incident.rollout_id else None,
            },
        )
    return incident


def resolve(*, actor: Actor, project_id: UUID, incident_id: UUID, reason: str = "") -> Incident:
    """Close a mitigated incident; raises `TransitionRefused` for any other."""
    return _move(actor, project_id, incident_id, action="resolve", said="Resolved.", reason=reason)


def comment(*, actor: Actor, project_id: UUID, incident_id: UUID, text: str) -> IncidentEntry:
    """Add a remark to the timeline, in any state. Raises `InvalidInput` for an empty or overlong one."""
    require(actor, "incident.comment", project_id=project_id)
    said = _text(text, field="text", required=True)
    with transaction.atomic():
        incident = _lock(project_id, incident_id)
        entry = _note(actor, incident, kind="commented", text=said)
        audit.record(
            actor=actor,
            action="incident.commented",
            target=incident,
            project_id=project_id,
            after={"entry_id": str(entry.id)},
        )
    return entry


def _move(
    actor: Actor, project_id: UUID, incident_id: UUID, *, action: str, said: str, reason: str
) -> Incident:
    require(actor, _PERMISSIONS[action], project_id=project_id)
    why = _text(reason, field="reason")
    with transaction.atomic():
        incident = _lock(project_id, incident_id)
        before = incident.state
        target = machines.next_state(INCIDENT, IncidentState(before), action)
        incident.state = target
        stamp = f"{target.value}_at"
        setattr(incident, stamp, clock.now())
        incident.save(update_fields=["state", stamp])
        _note(actor, incident, kind=target.value, text=f"{said} {why}".strip())
        audit.record(
            actor=actor,
            action=f"incident.{target.value}",
            target=incident,
            project_id=project_id,
            before={"state": before},
            after={"state": target.value},
            reason=why,
        )
        tell(actor, incident, Event(f"incident.{target.value}"), said=f"{said} {why}".strip())
    return incident


def _repeat(actor: Actor, incident: Incident, *, summary: str, severity: str) -> Incident:
    before = incident.severity
    if severity < before:  # P1 is the gravest
        incident.severity = severity
        incident.save(update_fields=["severity"])
    _note(actor, incident, kind="repeated", text=summary or "The same cause was found again.")
    audit.record(
        actor=actor,
        action="incident.repeated",
        target=incident,
        project_id=incident.project_id,
        before={"severity": before},
        after={"severity": incident.severity},
        reason=summary,
    )
    tell(actor, incident, Event.REPEATED, said=summary or "The same cause was found again.")
    return incident


def _lock(project_id: UUID, incident_id: UUID) -> Incident:
    incident = Incident.objects.select_for_update().filter(pk=incident_id, project_id=project_id).first()
    if incident is None:
        raise NotFound("There is no such incident in this project.", field="incident")
    return incident


def _lock_unresolved(project_id: UUID, dedup_key: str) -> Incident | None:
    return (
        Incident.objects.select_for_update()
        .filter(project_id=project_id, dedup_key=dedup_key)
        .exclude(state=IncidentState.RESOLVED)
        .first()
    )


def _note(actor: Actor, incident: Incident, *, kind: str, text: str) -> IncidentEntry:
    return IncidentEntry.objects.create(
        project_id=incident.project_id,
        incident=incident,
        kind=kind,
        actor_name=actor.name[:160],
        text=text,
    )


def _text(value: str, *, field: str, required: bool = False) -> str:
    cleaned = value.strip()
    if required and not cleaned:
        raise InvalidInput("Write something first.", field=field)
    if len(cleaned) > MAX_TEXT or "\x00" in cleaned:
        raise InvalidInput(f"Use at most {MAX_TEXT:,} characters of plain text.", field=field)
    return cleaned
