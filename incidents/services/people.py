"""Telling people: one message per person, event and way, made when it is sent and not when it happened.

The change only owes an outbox message with ids. Who hears of it is decided by that message's handler, a moment later: who may
approve *now*, who is a member *now*, and what they want *now*. So a change never waits for, or fails because of, its audience.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from incidents.models import Delivery, Incident
from incidents.notifications.personal.events import TEST, PersonalEvent
from incidents.notifications.personal.news import News, build
from incidents.selectors.people import message_to, ways_wanted, wishes_of
from incidents.services.outgoing import TOPIC, owe_again, require_finished
from promptstore.core import audit, clock, outbox
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed
from promptstore.core.http.links import whole_url
from promptstore.core.ids import uuid7
from promptstore.core.models import Project
from promptstore.core.permissions import require

GRAVE = (Incident.Severity.P1, Incident.Severity.P2)
Interest = tuple[PersonalEvent, frozenset[UUID] | None]


def tell_people(
    news: News, interests: Iterable[Interest], *, project_id: UUID, instance: UUID, except_for: UUID | None
) -> int:
    """Owe `news` to every member who wants it, but not to whoever did it; returns how many messages were made.

    `instance` names what happened. Telling of it again makes no second message, whoever else does so at the same time.
    """
    with transaction.atomic():
        made = 0
        payload = build(news)
        for user_id, way in ways_wanted(project_id=project_id, interests=interests):
            if user_id != except_for:
                made += _owe_once(project_id, user_id, way, news.event, payload, instance) is not None
    return made


def tell_of_incident(*, event: str, incident_id: UUID, actor_id: str, actor_name: str, at: str) -> None:
    """The outbox's side of an incident's event. Repeats, also of one that grew graver, tell nobody a second time."""
    incident = (
        Incident.objects.select_related("project", "environment", "feature").filter(pk=incident_id).first()
    )
    if incident is None or incident.severity not in GRAVE:
        return
    chosen = PersonalEvent(event)
    news = News(
        event=chosen,
        at=at,
        actor=actor_name,
        project=incident.project.slug,
        url=whole_url("incidents:incident_detail", incident.pk),
        settings_url=whole_url("console:notification_settings"),
        environment=incident.environment.slug,
        feature=incident.feature.slug,
        severity=incident.severity,
    )
    tell_people(
        news,
        [(chosen, None)],
        project_id=incident.project_id,
        instance=incident.pk,
        except_for=person(actor_id),
    )


def send_own_test(*, actor: Actor, project_id: UUID, way: str) -> Delivery:
    """Owe the actor a test message by `way`, `email` or `webhook`. Raises `Conflict` with what is missing for it."""
    require(actor, "project.read", project_id=project_id)
    user_id = own_id(actor)
    if way not in {Delivery.Way.EMAIL, Delivery.Way.WEBHOOK}:
        raise InvalidInput("Use email or webhook.", field="way")
    wishes = wishes_of(project_id=project_id, user_id=user_id)
    if way == Delivery.Way.EMAIL and wishes.no_mail:
        raise Conflict(wishes.no_mail, code="way_unavailable", field="way")
    if way == Delivery.Way.WEBHOOK and not wishes.destination:
        raise Conflict("You have no webhook here; enter its URL first.", code="way_unavailable", field="way")
    news = News(
        event=TEST,
        at=clock.now().isoformat(),
        actor=actor.name,
        project=Project.objects.get(pk=project_id).slug,
        url=whole_url("console:notification_settings"),
        settings_url=whole_url("console:notification_settings"),
    )
    with transaction.atomic():
        delivery = _owe_once(project_id, user_id, way, TEST, build(news), uuid7())
        assert delivery is not None, "an instance of its own is new"
        audit.record(
            actor=actor,
            action="preference.tested",
            target=delivery,
            project_id=project_id,
            after={"way": way, "message_id": delivery.message_id},
        )
    return delivery


def replay_own(*, actor: Actor, project_id: UUID, message_id: str) -> Delivery:
    """Send one of the actor's own finished messages once more, with the same id and content, on a fresh schedule.

    Raises `NotFound` for anybody else's, `Conflict` while it is still tried. Locks the message.
    """
    require(actor, "project.read", project_id=project_id)
    found = message_to(project_id=project_id, user_id=own_id(actor), message_id=message_id)
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=found.pk)
        require_finished(delivery)
        owe_again(actor, delivery, to={"way": delivery.way})
    return delivery


def own_id(actor: Actor) -> UUID:
    """The person behind the actor; raises `NotAllowed` for a service key, which has no address."""
    if actor.user_id is None:
        raise NotAllowed("Notifications belong to people. Use a personal token.", field="actor")
    return actor.user_id


def person(actor_id: str) -> UUID | None:
    """The id of whoever acted, where that was a person."""
    return UUID(actor_id) if actor_id else None


def _owe_once(
    project_id: UUID, user_id: UUID, way: str, event: str, payload: dict[str, object], instance: UUID
) -> Delivery | None:
    delivery = Delivery(
        project_id=project_id, recipient_id=user_id, way=way, event=event, payload=payload, instance=instance
    )
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    if not Delivery.objects.filter(pk=delivery.pk).exists():
        return None  # it was told already, here or beside us
    outbox.emit(TOPIC, {"delivery_id": str(delivery.pk)})
    return delivery
