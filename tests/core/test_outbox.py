from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.db import OperationalError, connections, transaction
from django.test import Client

from promptstore.core import outbox
from promptstore.core.clock import ManualClock
from promptstore.core.models import OutboxMessage
from promptstore.local.embedded import embedded_valkey
from tests.threads import at_once

NOWHERE = "redis://127.0.0.1:1/0"
LEASE_S = 60


class Handlers:
    """What the test topics do; each test starts with handlers that succeed."""

    ran: list[Mapping[str, Any]]
    act: Callable[[Mapping[str, Any]], None]


def handle(payload: Mapping[str, Any]) -> None:
    Handlers.ran.append(payload)
    Handlers.act(payload)


@pytest.fixture(autouse=True)
def topics(monkeypatch: pytest.MonkeyPatch) -> None:
    Handlers.ran, Handlers.act = [], lambda _: None
    monkeypatch.setattr(outbox, "_topics", dict(outbox._topics))
    outbox.register("test.worker", f"{__name__}.handle", lease_s=LEASE_S)
    outbox.register("test.inline", f"{__name__}.handle", lease_s=LEASE_S, inline=True)


def sender(broker: str) -> Celery:
    """Celery as the product configures it, on a broker of choice."""
    app = Celery("sender", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = broker
    return app


@pytest.fixture(autouse=True)
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where the messages go, unless a test puts a broker there."""
    monkeypatch.setattr(outbox, "current_app", sender(NOWHERE))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    with embedded_valkey(tmp_path) as url:
        yield url


def sent_to(url: str) -> list[int]:
    """The message ids that wait in the broker's queue, oldest first."""
    with redis.Redis.from_url(url) as client:
        waiting = client.lrange("default", 0, -1)
    assert isinstance(waiting, list)
    found = []
    for raw in reversed(waiting):
        envelope = json.loads(raw)
        assert envelope["headers"]["task"] == "core.deliver"
        arguments, _, _ = json.loads(base64.b64decode(envelope["body"]))
        found += arguments
    return found


def owe(topic: str = "test.worker", **options: Any) -> OutboxMessage:
    with transaction.atomic():
        outbox.emit(topic, {"n": 1}, **options)
    return OutboxMessage.objects.order_by("-id")[0]


def fail(_: Mapping[str, Any]) -> None:
    raise RuntimeError("the mail server is on fire")


@pytest.mark.django_db
def test_a_delivered_message_is_done_and_never_runs_again() -> None:
    message = owe()
    assert outbox.deliver(message.pk)
    assert not outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.done_at
    assert message.claimed_until is None
    assert Handlers.ran == [{"n": 1}]


@pytest.mark.django_db
def test_a_handler_that_raises_leaves_the_row_open_and_waits_longer_each_time(clock: ManualClock) -> None:
    Handlers.act = fail
    message = owe()
    waits = []
    for _ in range(9):
        assert not outbox.deliver(message.pk)
        message.refresh_from_db()
        waits.append((message.available_at - clock.now()).total_seconds())
        clock.advance(seconds=waits[-1])
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert message.last_error == "RuntimeError: the mail server is on fire"
    assert (message.done_at, message.dead_at, message.claimed_until) == (None, None, None)
    Handlers.act = lambda _: None
    assert outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.last_error == ""


@pytest.mark.django_db
def test_the_relay_leaves_a_failed_message_alone_until_its_time(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    Handlers.act = fail
    message = owe()
    outbox.deliver(message.pk)
    clock.advance(seconds=1.9)
    assert outbox.relay() == 0
    clock.advance(seconds=0.1)
    assert outbox.relay() == 1
    assert sent_to(broker) == [message.pk]


@pytest.mark.django_db
def test_a_message_out_of_attempts_is_dead_and_metrics_say_so(clock: ManualClock, client: Client) -> None:
    Handlers.act = fail
    message = owe()
    for _ in range(outbox.MAX_ATTEMPTS):
        assert b"promptstore_outbox_dead 0.0" in client.get("/metrics").content
        outbox.deliver(message.pk)
        clock.advance(minutes=10)
    page = client.get("/metrics").content
    assert b"promptstore_outbox_dead 1.0" in page
    assert b"promptstore_outbox_open 0.0" in page
    Handlers.act = lambda _: None
    assert not outbox.deliver(message.pk), "dead is dead"
    outbox.retry_dead(message.pk)
    assert outbox.deliver(message.pk)
    assert b"promptstore_outbox_dead 0.0" in client.get("/metrics").content


@pytest.mark.django_db(transaction=True)
def test_while_the_broker_is_away_the_row_stays_and_the_relay_sends_it_later(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = owe()
    assert message.sent_at is None
    clock.advance(seconds=2)
    assert outbox.relay() == 0
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    assert outbox.relay() == 1
    assert outbox.relay() == 0, "not again so soon"
    assert sent_to(broker) == [message.pk]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_up_is_called_once_so_that_nobody_waits_for_it(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def hang_up() -> None:
        nonlocal calls
        with suppress(OSError):
            while True:
                listener.accept()[0].close()
                calls += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        monkeypatch.setattr(outbox, "current_app", sender(f"redis://127.0.0.1:{listener.getsockname()[1]}/0"))
        owe()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert calls == 1


@pytest.mark.django_db(transaction=True)
def test_what_the_broker_forgot_is_sent_again(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    message = owe()
    assert sent_to(broker) == [message.pk], "handed over right after the commit"
    with redis.Redis.from_url(broker) as client:
        client.flushall()
    clock.advance(seconds=outbox.RESEND_AFTER.total_seconds() - 1)
    assert outbox.relay() == 0
    clock.advance(seconds=1)
    assert outbox.relay() == 1
    assert sent_to(broker) == [message.pk]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_refuses_does_not_fail_the_change(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    with redis.Redis.from_url(broker) as client:
        client.config_set("maxmemory", "1")
        message = owe()
        assert message.sent_at is None
        client.config_set("maxmemory", "0")
    clock.advance(seconds=2)
    assert outbox.relay() == 1


@pytest.mark.django_db(transaction=True)
def test_three_deliveries_at_once_run_once(clock: ManualClock) -> None:
    message = owe()
    results = at_once(*[lambda: outbox.deliver(message.pk)] * 3)
    assert sorted(results) == [False, False, True]
    assert Handlers.ran == [{"n": 1}]


@pytest.mark.django_db(transaction=True)
def test_a_message_at_work_is_not_taken_by_a_second_worker(clock: ManualClock) -> None:
    started, go_on = threading.Event(), threading.Event()

    def wait(_: Mapping[str, Any]) -> None:
        started.set()
        assert go_on.wait(10)

    def work() -> None:
        try:
            assert outbox.deliver(message.pk)
        finally:
            connections.close_all()

    Handlers.act = wait
    message = owe()
    first = threading.Thread(target=work)
    first.start()
    assert started.wait(10)
    assert not outbox.deliver(message.pk)
    assert outbox.relay() == 0
    go_on.set()
    first.join(10)
    message.refresh_from_db()
    assert (message.attempts, len(Handlers.ran)) == (1, 1)
    assert message.done_at


@pytest.mark.django_db
def test_the_message_of_a_worker_that_died_is_taken_over_after_its_lease(clock: ManualClock) -> None:
    def die(_: Mapping[str, Any]) -> None:
        raise SystemExit  # as good as kill -9: nothing of `deliver` runs after it

    Handlers.act = die
    message = owe()
    with pytest.raises(SystemExit):
        outbox.deliver(message.pk)
    Handlers.act = lambda _: None
    clock.advance(seconds=LEASE_S - 1)
    assert not outbox.deliver(message.pk)
    clock.advance(seconds=1)
    assert outbox.deliver(message.pk)


@pytest.mark.django_db
def test_a_worker_that_fails_after_it_was_overtaken_does_not_free_the_others_claim(
    clock: ManualClock,
) -> None:
    def die(_: Mapping[str, Any]) -> None:
        raise SystemExit

    def be_slow_and_fail(_: Mapping[str, Any]) -> None:
        clock.advance(seconds=LEASE_S)
        Handlers.act = die
        with pytest.raises(SystemExit):
            outbox.deliver(message.pk)
        raise RuntimeError("too late to matter")

    Handlers.act = be_slow_and_fail
    message = owe()
    assert not outbox.deliver(message.pk)
    message.refresh_from_db()
    assert (message.attempts, message.last_error) == (2, "")
    assert message.claimed_until == clock.now() + timedelta(seconds=LEASE_S)


@pytest.mark.django_db(transaction=True)
def test_an_inline_topic_runs_after_the_commit_and_not_before() -> None:
    with transaction.atomic():
        outbox.emit("test.inline", {"n": 1})
        assert Handlers.ran == []
    assert Handlers.ran == [{"n": 1}]
    assert OutboxMessage.objects.get().done_at


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_owes_nothing() -> None:
    def change() -> None:
        with transaction.atomic():
            outbox.emit("test.inline", {"n": 1})
            outbox.emit("test.worker", {"n": 2})
            raise LookupError

    with pytest.raises(LookupError):
        change()
    assert Handlers.ran == []
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_inline_handler_that_fails_leaves_the_change_and_the_row(clock: ManualClock) -> None:
    Handlers.act = fail
    message = owe("test.inline")
    assert (message.attempts, message.done_at) == (1, None)


@pytest.mark.django_db(transaction=True)
def test_a_shortcut_that_breaks_does_not_look_like_a_failed_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(outbox, "deliver", away)
    message = owe("test.inline")
    assert (message.attempts, message.done_at) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_a_delayed_message_is_sent_when_its_time_comes(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    message = owe(delay=timedelta(minutes=5))
    clock.advance(minutes=4, seconds=59)
    assert outbox.relay() == 0
    clock.advance(seconds=1)
    assert outbox.relay() == 1
    assert sent_to(broker) == [message.pk]


@pytest.mark.django_db(transaction=True)
def test_a_clock_set_back_delays_no_message(
    clock: ManualClock, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, failed, claimed = owe(), owe(), owe()
    Handlers.act = fail
    outbox.deliver(failed.pk)
    OutboxMessage.objects.filter(pk=claimed.pk).update(
        attempts=1, sent_at=clock.now(), claimed_until=clock.now() + timedelta(seconds=LEASE_S)
    )
    clock.jump(hours=-1)
    monkeypatch.setattr(outbox, "current_app", sender(broker))
    assert outbox.relay() == 3
    assert outbox.relay() == 0, "not again so soon"
    assert sent_to(broker) == [new.pk, failed.pk, claimed.pk]
    Handlers.act = lambda _: None
    assert all(outbox.deliver(message.pk) for message in (new, failed, claimed))


@pytest.mark.django_db(transaction=True)
def test_a_delay_that_was_asked_for_survives_a_clock_set_back_by_seconds(clock: ManualClock) -> None:
    message = owe(delay=timedelta(minutes=5))
    clock.jump(seconds=-30)
    assert outbox.relay() == 0
    assert message.sent_at is None


@pytest.mark.django_db
def test_a_topic_that_nobody_knows_waits_for_code_that_does(clock: ManualClock) -> None:
    message = owe("test.unheard_of")
    assert not outbox.deliver(message.pk)
    message.refresh_from_db()
    assert (message.attempts, message.done_at) == (0, None)


@pytest.mark.django_db
def test_done_messages_are_forgotten_after_a_week_and_open_ones_never(clock: ManualClock) -> None:
    done, still_open = owe(), owe()
    outbox.deliver(done.pk)
    clock.advance(days=8)
    assert outbox.forget_done() == 1
    assert OutboxMessage.objects.get() == still_open
