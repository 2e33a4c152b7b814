"""The connection dies at COMMIT, on its way there or on the answer's way back: nobody knows, and everything happens once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError
from django.db.models import Sum
from rest_framework.test import APIClient

from incidents.models import Delivery
from incidents.services.deliveries import send_due
from promptstore.core import audit, outbox
from promptstore.core.clock import ManualClock
from promptstore.core.http.idempotency import ABANDONED_AFTER
from promptstore.core.keys import create_service_key
from promptstore.core.models import AuditEvent, AuditPending, OutboxMessage
from registry.models import Feature
from releases import controller
from serving.database import connect
from serving.drain import Drain
from telemetry.models import Inference, Rollup
from telemetry.spool import Spool
from tests.cast import Cast
from tests.chaos.invariants import check_audit, check_decisions, check_published
from tests.chaos.proxy import Cut, proxied
from tests.chaos.test_kill_points import database_url
from tests.incidents.channel_cast import channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import Receiver, receiver
from tests.telemetry.inference_events import event
from tests.traffic import record
from tests.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("commits")]
both = pytest.mark.parametrize("cut", list(Cut))
FEATURES = "/api/v1/projects/acme/features/"


@pytest.fixture(autouse=True)
def fit_for_the_next() -> None:
    """These tests need no instance."""


@pytest.fixture(autouse=True)
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker but this process: what is owed is found in the database."""
    monkeypatch.setattr(outbox, "_send", lambda _: False)


def lost(act: Callable[[], Any]) -> None:
    """What the caller is told of a connection that died, if anything."""
    with suppress(DatabaseError, InterfaceError):
        act()


@both
def test_a_client_that_repeats_its_key_gets_the_first_outcome(
    cast: Cast, clock: ManualClock, cut: Cut
) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_login(cast.users["owner"])

    def create(slug: str, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = client.post(FEATURES, {"slug": slug, "name": slug}, format="json", headers=headers)
        if answer.status_code == 500:
            proxy.await_rollback()
        return answer

    with proxied(database_url()) as proxy:
        proxy.cut(cut, commit_of="registry_feature")
        assert create("first", "k").status_code == 500
        again = create("first", "k")
        assert (again.status_code, again.json()["slug"]) == (201, "first")
        assert again.headers.get("Idempotent-Replay") == ("true" if cut is Cut.ANSWER else None)
        assert create("first", "k").content == again.content
        # The reservation itself may be lost too.
        proxy.cut(cut, commit_of='INSERT INTO "core_idempotentreply"')
        assert create("second", "l").status_code == 500
        clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)
        assert create("second", "l").status_code == 201
        # Without a key a unique name stands in the way of a double.
        proxy.cut(cut, commit_of="registry_feature")
        assert create("third").status_code == 500
        assert create("third").status_code == (409 if cut is Cut.ANSWER else 201)
        assert proxy.cuts == 3
    assert sorted(Feature.objects.values_list("slug", flat=True)) == ["first", "second", "third"]
    assert AuditEvent.objects.filter(action="feature.created").count() == 3


@both
def test_background_work_is_done_once(world: World, clock: ManualClock, cut: Cut) -> None:
    rollout = world.roll_out()
    finish_owed(clock)
    audit.seal_pending()
    with proxied(database_url()) as proxy, receiver() as hook:
        for _ in range(6):
            record(rollout, "candidate", 10)
            record(rollout, "stable", 10)
            clock.advance(minutes=1)
        proxy.cut(cut, commit_of="releases_rolloutdecision")
        controller.tick()  # swallows what befell one rollout
        assert proxy.cuts == 1
        controller.tick()
        rollout.refresh_from_db()
        assert [decision.kind for decision in check_decisions(rollout)] == ["start", "advance", "advance"]
        finish_owed(clock)
        for statement in ('"core_outboxmessage" SET "claimed_until"', "serving_root"):
            proxy.cut(cut, commit_of=statement)
            change_snapshot(world, name=f"key-{proxy.cuts}")
            finish_owed(clock)
        assert proxy.cuts == 3
        proxy.cut(cut, commit_of="core_auditseal")
        lost(audit.seal_pending)
        audit.seal_pending()
        assert not AuditPending.objects.exists()
        tell(world.cast, hook)
        for statement in ('"incidents_delivery" SET "attempts"', '"delivered_at" = '):
            proxy.cut(cut, commit_of=statement)
            lost(send_due)
            clock.advance(minutes=2)
        while send_due():
            clock.advance(minutes=2)
        assert proxy.cuts == 6
        assert not Delivery.objects.exclude(state="delivered").exists()
        told = {one.headers["webhook-id"]: one.json["type"] for one in hook.received}
        assert list(told.values()) == ["incident.opened"]
    rollout.refresh_from_db()
    audit.seal_pending()
    check_decisions(rollout)
    check_audit(rollout)
    finish_owed(clock)
    check_published(rollout)


def change_snapshot(world: World, *, name: str) -> None:
    """A new key for the environment; publishing follows its commit at once, and is robust."""
    create_service_key(
        actor=world.cast.actor("owner"), environment=world.cast.production, name=name, scopes=["serve"]
    )


def tell(cast: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    opened(cast, dedup_key="another")


def finish_owed(clock: ManualClock) -> None:
    """What the relay brings about once leases and back-off are over."""
    clock.advance(minutes=6)
    for message in OutboxMessage.objects.filter(done_at=None, dead_at=None).exclude(
        topic="notification.send"
    ):
        assert outbox.deliver(message.pk)


@both
def test_a_batch_is_stored_once(cast: Cast, tmp_path: Path, cut: Cut) -> None:
    with proxied(database_url()) as proxy, Spool(tmp_path / "spool") as spool:
        drain = Drain(spool, database_url=proxy.url, rejected_path=tmp_path / "rejected")
        for _ in range(20):
            assert spool.append(event()) is None
        proxy.cut(cut, commit_of="incoming_event")
        with pytest.raises(psycopg.OperationalError):
            asyncio.run(deliver(drain, proxy.url))
        asyncio.run(deliver(drain, proxy.url))
        assert (proxy.cuts, drain.delivered, drain.rejected) == (1, 20, 0)
    assert Inference.objects.count() == Rollup.objects.aggregate(total=Sum("count"))["total"] == 20


async def deliver(drain: Drain, url: str) -> None:
    """All there is, on a connection of its own."""
    async with await connect(url) as connected:
        while await drain.deliver_batch(connected):
            pass
