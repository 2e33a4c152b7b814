"""Telling channels: messages are made in the transaction of what they tell, and the outbox owes their delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.models import Delivery, Incident, NotificationChannel
from incidents.notifications.kinds import KINDS
from incidents.notifications.personal.events import PersonalEvent
from incidents.notifications.snapshot import Event, IncidentSnapshot
from incidents.selectors.channels import destinations
from incidents.states import DeliveryState
from promptstore.core import audit, clock, outbox
from promptstore.core.actors import Actor, ActorKind
from promptstore.core.errors import Conflict
from promptstore.core.http.links import whole_url

TOPIC = "notification.send"
# An incident that is found again may have grown grave enough; whoever was told of it is not told again.
_FOR_PEOPLE = {
    Event.OPENED: PersonalEvent.INCIDENT_OPENED,
    Event.REPEATED: PersonalEvent.INCIDENT_OPENED,
    Event.RESOLVED: PersonalEvent.INCIDENT_RESOLVED,
}
_MIRRORS = [name for name, kind in KINDS.items() if kind.mirrors_state]


def tell(actor: Actor, incident: Incident, event: Event, *, said: str) -> None:
    """Owe a message about `incident` to every channel that wants it, and to people. Runs in the event's transaction and lock."""
    if event in _FOR_PEOPLE:
        owe_people(
            "people.incident",
            actor,
            {"event": _FOR_PEOPLE[event].value, "incident_id": str(incident.pk)},
        )
    wanting = list(
        destinations(project_id=incident.project_id, severity=incident.severity, event=event, always=_MIRRORS)
    )
    if not wanting:
        return
    snapshot = snapshot_of(incident, event, actor_name=actor.name, said=said)
    for channel in wanting:
        owe(channel, snapshot, incident=incident)


def owe_people(topic: str, actor: Actor, about: Mapping[str, Any]) -> None:
    """Owe the telling of people to the open transaction. Who hears of it is found when `topic` is handled."""
    outbox.emit(
        topic,
        {
            **about,
            "actor_id": actor.id if actor.kind is ActorKind.USER else "",
            "actor_name": actor.name,
            "at": _moment(clock.now()),
        },
    )


def owe(channel: NotificationChannel, snapshot: IncidentSnapshot, *, incident: Incident | None) -> Delivery:
    """One message to one channel; the outbox sends it after the commit."""
    delivery = Delivery.objects.create(
        project_id=channel.project_id,
        channel=channel,
        incident=incident,
        event=snapshot.event,
        payload=KINDS[channel.kind].build(snapshot),
    )
    outbox.emit(TOPIC, {"delivery_id": str(delivery.pk)})
    return delivery


def require_finished(delivery: Delivery) -> None:
    """Raise `Conflict` while a message is still tried."""
    if delivery.state == DeliveryState.PENDING:
        raise Conflict("This message is still being tried; wait for its outcome.", field="state")


def owe_again(actor: Actor, delivery: Delivery, *, to: Mapping[str, str]) -> None:
    """Put a finished message on a fresh schedule, with the same id and content, under the caller's lock. The event says `to`."""
    before = {"state": delivery.state, "attempts": delivery.attempts}
    delivery.state = DeliveryState.PENDING
    delivery.attempts = 0
    delivery.next_attempt_at = clock.now()
    delivery.claimed_until = None
    delivery.save()
    audit.record(
        actor=actor,
        action="delivery.replayed",
        target=delivery,
        project_id=delivery.project_id,
        before=before,
        after={"state": delivery.state, **to, "event": delivery.event},
    )
    outbox.emit(TOPIC, {"delivery_id": str(delivery.pk)})


def snapshot_of(incident: Incident, event: Event, *, actor_name: str, said: str) -> IncidentSnapshot:
    """The incident as it is now. Of its evidence only the broken rules go out; samples stay behind the console's permissions."""
    return IncidentSnapshot(
        event=event,
        at=_moment(clock.now()),
        actor=actor_name,
        said=said,
        id=str(incident.pk),
        url=whole_url("incidents:incident_detail", incident.pk),
        project=incident.project.slug,
        environment=incident.environment.slug,
        feature=incident.feature.slug,
        title=incident.title,
        summary=incident.summary,
        severity=incident.severity,
        state=incident.state,
        dedup_key=incident.dedup_key,
        rollout_id=str(incident.rollout_id or ""),
        release_digest=incident.release_digest,
        opened_at=_moment(incident.created_at),
        acknowledged_at=_moment(incident.acknowledged_at),
        mitigated_at=_moment(incident.mitigated_at),
        resolved_at=_moment(incident.resolved_at),
        broken_rules=_broken_rules(incident.evidence),
    )


def trial_snapshot(channel: NotificationChannel, *, actor_name: str) -> IncidentSnapshot:
    """What a test message tells: that it is one."""
    now = _moment(clock.now())
    return IncidentSnapshot(
        event=Event.TEST,
        at=now,
        actor=actor_name,
        said="This is a test. Nothing is wrong.",
        id=str(channel.pk),
        url=whole_url("console:home"),
        project=channel.project.slug,
        environment="none",
        feature="none",
        title=f"Test message to {channel.name}",
        summary="This is a test. Nothing is wrong.",
        severity=Incident.Severity.P4,
        state="open",
        dedup_key=f"test-{channel.pk}",
        rollout_id="",
        release_digest="",
        opened_at=now,
        acknowledged_at="",
        mitigated_at="",
        resolved_at="",
        broken_rules=(),
    )


def _broken_rules(evidence: Mapping[str, Any]) -> tuple[str, ...]:
    rules = evidence.get("rules", ())
    return tuple(str(rule.get("when", "")) for rule in rules if isinstance(rule, Mapping))


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
