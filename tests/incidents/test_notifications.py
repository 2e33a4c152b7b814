"""From an incident's transition to the receiver, through the outbox and the timetable."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from celery import Celery
from django.db import transaction
from django.db.models import Q

from incidents import services
from incidents.models import Delivery
from incidents.notifications.schedule import MAX_ATTEMPTS, WAITS
from incidents.services import deliveries
from incidents.services.channels import rotate_secret, send_test, update_channel
from promptstore.core import outbox
from promptstore.core.clock import ManualClock
from promptstore.core.errors import Conflict, NotAllowed, NotFound
from promptstore.core.models import AuditEvent, OutboxMessage
from tests.cast import Cast, make_cast
from tests.incidents.channel_cast import ROUTING_KEY, SECRET, channel, sent_states
from tests.incidents.incident_cast import feature_of, opened
from tests.incidents.receivers import Receiver
from tests.threads import at_once


def by_outbox() -> None:
    """What a worker does with the messages that wait."""
    for message in OutboxMessage.objects.filter(topic="notification.send", done_at=None).order_by("id"):
        assert outbox.deliver(message.pk)


def move(cast: Cast, incident: Any, *actions: str) -> None:
    for action in actions:
        getattr(services, action)(
            actor=cast.actor("operator"), project_id=cast.project.pk, incident_id=incident.pk
        )


def fits(received: Any, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode()
    wanted = base64.b64encode(hmac.new(key, signed + received.body, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in received.headers["webhook-signature"].split(" ")


def test_every_event_reaches_a_webhook_signed_and_in_order(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    incident = opened(cast, evidence={"samples": [{"output": "a private answer"}]})
    opened(cast)
    move(cast, incident, "acknowledge", "mitigate", "resolve")
    by_outbox()
    while deliveries.send_due():
        pass
    told = ["opened", "repeated", "acknowledged", "mitigated", "resolved"]
    assert [one.json["type"] for one in hook.received] == [f"incident.{event}" for event in told]
    assert all(fits(one, SECRET) for one in hook.received)
    assert [one.json["data"]["incident"]["state"] for one in hook.received][2:] == told[2:]
    assert {state for _, state in sent_states(row)} == {"delivered"}
    assert not any(b"private answer" in one.body for one in hook.received)


def test_pagerduty_is_told_with_the_routing_key_that_is_nowhere_else(
    cast: Cast, clock: ManualClock, hook: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    row = channel(cast, hook, "pagerduty")
    hook.answer(202)
    move(cast, opened(cast), "mitigate", "resolve")
    by_outbox()
    while deliveries.send_due():
        pass
    bodies = [one.json for one in hook.received]
    assert [body["event_action"] for body in bodies] == ["trigger", "acknowledge", "resolve"]
    assert {(body["routing_key"], body["dedup_key"]) for body in bodies} == {(ROUTING_KEY, "acme/rollout-1")}
    kept = [
        *Delivery.objects.values(),
        *OutboxMessage.objects.values(),
        *AuditEvent.objects.values(),
        *row.history.values(),
        *caplog.messages,
    ]
    assert ROUTING_KEY not in repr(kept)
    assert hook.url not in repr(kept)
    assert ROUTING_KEY.encode() not in bytes(row.sealed_secret or b"")


def test_alertmanager_and_chats_are_told_too(cast: Cast, clock: ManualClock, hook: Receiver) -> None:
    channel(cast, hook, "alertmanager", secret="bearer-token")
    channel(cast, hook, "slack")
    opened(cast)
    by_outbox()
    alert, message = hook.received
    assert alert.headers["authorization"] == "Bearer bearer-token"
    assert alert.json[0]["labels"]["alertname"] == "PromptstoreIncident"
    assert message.json["text"].startswith("P1 opened: config-assistant")
    assert {row.state for row in Delivery.objects.all()} == {"delivered"}


def test_a_failed_transaction_owes_nothing(cast: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    with transaction.atomic():
        opened(cast)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_a_channel_gets_what_it_asked_for(cast: Cast, strangers: Cast, hook: Receiver) -> None:
    only_resolved = channel(cast, hook, name="resolved", events=["incident.resolved"])
    grave = channel(cast, hook, name="grave", min_severity="P2")
    pager = channel(cast, hook, "pagerduty", events=["incident.opened"])
    off = channel(cast, hook, name="off")
    update_channel(
        actor=cast.actor("owner"), project_id=cast.project.pk, channel_id=off.pk, revision=1, enabled=False
    )
    foreign = channel(strangers, hook)
    move(cast, opened(cast, severity="P3"), "mitigate", "resolve")
    opened(cast, severity="P1", dedup_key="grave")
    events = {row.name: [event for event, _ in sent_states(row)] for row in (only_resolved, grave, off)}
    assert events == {
        "resolved": ["incident.resolved"],
        "grave": ["incident.opened"],
        "off": [],
    }
    assert len(sent_states(pager)) == 4  # it mirrors the state, so it gets the whole life
    assert sent_states(foreign) == []


def test_a_receiver_that_is_down_gets_it_later_with_the_same_id_and_body(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    hook.answer(500, (429, {"Retry-After": "600"}), 200)
    opened(cast)
    by_outbox()
    assert (deliveries.send_due(), len(hook.received)) == (0, 1)
    clock.advance(seconds=5)
    assert deliveries.send_due() == 1
    clock.advance(seconds=599)
    assert deliveries.send_due() == 0
    clock.advance(seconds=1)
    assert deliveries.send_due() == 1
    assert sent_states(row) == [("incident.opened", "delivered")]
    assert len({one.headers["webhook-id"] for one in hook.received}) == 1
    assert len({one.body for one in hook.received}) == 1
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.last_status, delivery.delivered_at) == (3, 200, clock.now())


def test_a_receiver_that_stays_down_is_given_up_after_76_hours(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    hook.answer(503)
    opened(cast)
    by_outbox()
    for wait in WAITS:
        clock.advance(seconds=wait.total_seconds())
        assert deliveries.send_due() == 1
    clock.advance(days=30)
    assert deliveries.send_due() == 0
    assert (sent_states(row), len(hook.received)) == ([("incident.opened", "failed")], MAX_ATTEMPTS)


@pytest.mark.parametrize("answer", [400, (302, {"Location": "http://127.0.0.1:1/"})])
def test_a_refusal_is_final(cast: Cast, clock: ManualClock, hook: Receiver, answer: Any) -> None:
    row = channel(cast, hook)
    hook.answer(answer)
    opened(cast)
    by_outbox()
    clock.advance(days=4)
    assert deliveries.send_due() == 0
    assert (sent_states(row), len(hook.received)) == ([("incident.opened", "failed")], 1)
    row.refresh_from_db()
    assert row.enabled


def test_a_receiver_that_is_gone_switches_its_channel_off(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    hook.answer(410)
    move(cast, opened(cast), "acknowledge")
    by_outbox()
    deliveries.send_due()
    row.refresh_from_db()
    assert (row.enabled, "HTTP 410" in row.disabled_because, len(hook.received)) == (False, True, 1)
    assert {state for _, state in sent_states(row)} == {"failed"}
    event = AuditEvent.objects.get(action="channel.disabled")
    assert (event.actor_name, event.before["enabled"], event.after["enabled"]) == (  # type: ignore[index]
        "notifications",
        True,
        False,
    )


def test_later_messages_of_an_incident_wait_for_the_first_and_others_do_not(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    channel(cast, hook, "pagerduty")
    hook.answer(500, 202)
    first = opened(cast)
    by_outbox()
    move(cast, first, "mitigate", "resolve")
    opened(cast, dedup_key="other")
    by_outbox()
    assert [one.json["dedup_key"] for one in hook.received] == ["acme/rollout-1", "acme/other"]
    clock.advance(seconds=5)
    while deliveries.send_due():
        pass
    assert [one.json["event_action"] for one in hook.received][2:] == ["trigger", "acknowledge", "resolve"]


def test_what_a_dead_worker_held_is_sent_by_the_timetable(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    opened(cast)
    delivery = Delivery.objects.get()
    # It claimed the message and was killed before it heard of the outcome.
    assert len(deliveries._claim(Q(pk=delivery.pk), limit=1)) == 1
    by_outbox()
    assert (hook.received, deliveries.send_due()) == ([], 0)
    clock.advance(seconds=61)
    assert deliveries.send_due() == 1
    assert sent_states(row) == [("incident.opened", "delivered")]
    assert hook.received[0].headers["webhook-id"] == delivery.message_id


def test_the_outcome_of_an_overtaken_worker_does_not_count(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    opened(cast)
    slow = deliveries._claim(Q(), limit=1)
    clock.advance(seconds=61)
    assert deliveries.send_due() == 1
    hook.answer(400)
    deliveries._send_all(slow)
    assert sent_states(row) == [("incident.opened", "delivered")]


@pytest.mark.django_db(transaction=True)
def test_workers_beside_each_other_send_a_message_once(hook: Receiver) -> None:
    cast = make_cast("acme")
    feature_of(cast)
    row = channel(cast, hook)
    opened(cast)
    assert sum(at_once(*[deliveries.send_due] * 4)) == 1
    assert (len(hook.received), sent_states(row)) == (1, [("incident.opened", "delivered")])


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_delays_a_message_and_loses_none(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Celery("away", set_as_current=False, broker="redis://127.0.0.1:1/0")
    away.conf.broker_transport_options = {"max_retries": 0}
    monkeypatch.setattr(outbox, "current_app", away)
    cast = make_cast("acme")
    row = channel(cast, hook)
    opened(cast)
    assert sent_states(row) == [("incident.opened", "pending")]
    assert deliveries.send_due() == 1
    by_outbox()
    assert len(hook.received) == 1


def test_a_replay_keeps_id_and_content(cast: Cast, clock: ManualClock, hook: Receiver) -> None:
    channel(cast, hook)
    hook.answer(400, 200)
    opened(cast)
    by_outbox()
    delivery = Delivery.objects.get()
    replayed = deliveries.replay(
        actor=cast.actor("operator"), project_id=cast.project.pk, delivery_id=delivery.pk
    )
    with pytest.raises(Conflict):
        deliveries.replay(actor=cast.actor("operator"), project_id=cast.project.pk, delivery_id=delivery.pk)
    by_outbox()
    first, second = hook.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    replayed.refresh_from_db()
    assert replayed.state == "delivered"
    event = AuditEvent.objects.get(action="delivery.replayed")
    assert event.before == {"state": "failed", "attempts": 1}


def test_an_old_alert_is_not_replayed_over_a_newer_one(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    channel(cast, hook, "pagerduty")
    move(cast, opened(cast), "mitigate")
    by_outbox()
    deliveries.send_due()
    first, last = Delivery.objects.order_by("id")
    who: dict[str, Any] = {"actor": cast.actor("operator"), "project_id": cast.project.pk}
    with pytest.raises(Conflict):
        deliveries.replay(**who, delivery_id=first.pk)
    assert deliveries.replay(**who, delivery_id=last.pk).state == "pending"


def test_replaying_needs_the_permission_and_the_project(cast: Cast, strangers: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    opened(cast)
    Delivery.objects.update(state="failed")
    delivery = Delivery.objects.get()
    with pytest.raises(NotAllowed):
        deliveries.replay(actor=cast.actor("writer"), project_id=cast.project.pk, delivery_id=delivery.pk)
    with pytest.raises(NotFound):
        deliveries.replay(
            actor=strangers.actor("owner"), project_id=strangers.project.pk, delivery_id=delivery.pk
        )
    delivery.refresh_from_db()
    assert delivery.state == "failed"


def test_during_a_rotation_both_secrets_fit_and_later_only_the_new_one(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    row = channel(cast, hook)
    who: dict[str, Any] = {"actor": cast.actor("owner"), "project_id": cast.project.pk, "channel_id": row.pk}
    _, fresh = rotate_secret(**who, revision=1)
    send_test(**who)
    by_outbox()
    clock.advance(hours=24)
    send_test(**who)
    by_outbox()
    during, after = hook.received
    assert (fits(during, SECRET), fits(during, fresh)) == (True, True)
    assert (fits(after, SECRET), fits(after, fresh)) == (False, True)
    assert during.json["type"] == "notification.test"


def test_a_name_that_turns_out_private_is_refused_when_it_is_called(
    cast: Cast, clock: ManualClock, hook: Receiver
) -> None:
    port = hook.url.split(":")[2]
    row = channel(cast, hook, url=f"https://localhost:{port}", allow_private=False)
    opened(cast)
    by_outbox()
    assert sent_states(row) == [("incident.opened", "failed")]
    assert "may not be called" in Delivery.objects.get().last_detail
    assert hook.received == []
