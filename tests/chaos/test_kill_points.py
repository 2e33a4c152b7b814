"""`kill -9` at every commit boundary: whichever half was done, the next process ends with everything once.

Every point is killed at its first passes; a seed (`KILL_SEED`) chooses which of these cases the quick run takes, and the others
wait for `make proof`. A process that outlives its point fails the test, so a point that is never reached cannot go unnoticed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum

from incidents.models import Delivery, Incident
from incidents.services import acknowledge
from promptstore.core import audit, keys, outbox
from promptstore.core.clock import ManualClock
from promptstore.core.killpoints import KillPoint
from promptstore.core.models import OutboxMessage
from promptstore.local.embedded import ROOT
from releases import services as releases
from releases.models import LivePeriod, Promotion, Rollout
from serving import disk
from serving.loading import Loader
from serving.models import Root
from serving.state import ServingState
from telemetry.models import Inference, Rollup
from tests.cast import Cast
from tests.chaos.invariants import DOWN, check_audit, check_decisions, check_published
from tests.chaos.watch import watch
from tests.incidents.channel_cast import channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import receiver
from tests.telemetry.inference_events import event
from tests.world import World

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("kill points"),
]

P = KillPoint
# How often each point is passed for certain while there is work for one process.
CONTROL = {
    P.CONTROLLER_AFTER_START: 1,
    P.CONTROLLER_BEFORE_MEASURED: 3,
    P.CONTROLLER_AFTER_MEASURED: 3,
    P.CONTROLLER_BEFORE_COMMIT: 3,
    P.CONTROLLER_AFTER_COMMIT: 3,
    P.OUTBOX_AFTER_COMMIT: 3,
    P.OUTBOX_BEFORE_SEND: 3,
    P.OUTBOX_AFTER_SEND: 3,
    P.OUTBOX_AFTER_CLAIM: 3,
    P.OUTBOX_AFTER_HANDLER: 3,
    P.OUTBOX_AFTER_DONE: 3,
    P.AUDIT_BEFORE_COMMIT: 3,
    P.AUDIT_AFTER_COMMIT: 3,
    P.PUBLISHER_BEFORE_COMMIT: 3,
    P.PUBLISHER_AFTER_COMMIT: 3,
}
NOTIFY = {P.DELIVERY_AFTER_CLAIM: 2, P.DELIVERY_AFTER_SEND: 2, P.DELIVERY_AFTER_RECORD: 3}
TELEMETRY = {
    P.SPOOL_AFTER_RECOVERY: 1,
    P.SPOOL_BEFORE_WRITE: 3,
    P.SPOOL_AFTER_WRITE: 3,
    P.SPOOL_BEFORE_ROTATION: 3,
    P.SPOOL_AFTER_ROTATION: 3,
    P.SPOOL_BEFORE_POSITION: 3,
    P.SPOOL_AFTER_POSITION: 3,
    P.SPOOL_AFTER_REMOVAL: 3,
    P.DRAIN_BEFORE_COMMIT: 3,
    P.DRAIN_AFTER_COMMIT: 3,
    P.DRAIN_AFTER_REJECTION: 3,
}
NODE = {P.DISK_BEFORE_RENAME: 3, P.DISK_AFTER_DOCUMENTS: 1, P.DISK_AFTER_MANIFEST: 1}
_SEED = int(os.environ.get("KILL_SEED", "1"))


def cases(points: dict[KillPoint, int], *, quick: int) -> list[Any]:
    """Every point at every pass; all but `quick` of them, chosen by the seed, are marked as proof."""
    every = [f"{point}:{nth}" for point, passes in points.items() for nth in range(1, passes + 1)]
    chosen = Random(_SEED).sample(every, quick)
    return [pytest.param(case, marks=[] if case in chosen else [pytest.mark.proof]) for case in every]


def test_every_kill_point_belongs_to_a_case() -> None:
    assert {*CONTROL, *NOTIFY, *TELEMETRY, *NODE} == set(KillPoint)


def run(part: str, orders: dict[str, Any], *, killed_at: str = "") -> None:
    """One process; it must die of its point, or without one finish its work."""
    variables = {"PROMPTSTORE_TESTING": "1", "PROMPTSTORE_KILL_POINT": killed_at} if killed_at else {}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.kill_runner", part, json.dumps(orders)],
        cwd=ROOT,
        env={**os.environ, **variables, "DATABASE_URL": database_url()},
        capture_output=True,
        timeout=180,
        check=False,
    )
    expected = -signal.SIGKILL if killed_at else 0
    assert done.returncode == expected, (killed_at, done.returncode, done.stderr.decode()[-4_000:])


def database_url() -> str:
    """The test's own database, as the application's role sees it."""
    return (
        urlsplit(settings.DATABASE_URL)._replace(path=f"/{quote(connection.settings_dict['NAME'])}").geturl()
    )


@pytest.fixture(autouse=True)
def fit_for_the_next() -> None:
    """These tests start processes of their own and need no instance."""


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A queue of this test alone on the real broker; this process sends there too."""
    name = f"kill-points-{uuid4().hex}"
    sender = Celery("kill points", broker=settings.BROKER_URL, set_as_current=False)
    sender.conf.task_default_queue = name
    monkeypatch.setattr(outbox, "current_app", sender)
    yield name
    sender.close()
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        broker.delete(name, f"_kombu.binding.{name}")


# --- controller, outbox, publisher, audit --------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(CONTROL, quick=1))
def test_a_release_goes_live_whatever_kills_its_processes(
    world: World, clock: ManualClock, queue: str, case: str
) -> None:
    promotion, staging = owed(world)
    die_and_recover(clock, queue, case, breach=False)
    rollout = Rollout.objects.get(promotion=promotion)
    decisions = check_control(rollout)
    assert [decision.kind for decision in decisions] == ["start", *["advance"] * 4, "complete"]
    assert world.production.stable_release_id == promotion.release_id
    for each in (promotion, staging):
        each.refresh_from_db()
        assert each.state == "live"
        periods = LivePeriod.objects.filter(deployment=each.deployment, release=each.release)
        assert periods.count() == 1


@pytest.mark.parametrize("case", cases({P.CONTROLLER_BEFORE_COMMIT: 6}, quick=1))
def test_a_rollback_goes_on_down_whatever_kills_its_processes(
    world: World, clock: ManualClock, queue: str, case: str
) -> None:
    promotion, _ = owed(world)
    stable = world.production.stable_release_id
    die_and_recover(clock, queue, case, breach=True)
    rollout = Rollout.objects.get(promotion=promotion)
    assert rollout.state == "rolled_back"
    down = [decision.to_weight_bp for decision in check_control(rollout) if decision.kind in DOWN]
    assert down == [rollout.withdrawn_bp * percent // 100 for percent in (75, 50, 25)] + [0] * (len(down) - 3)
    assert Incident.objects.filter(rollout_id=rollout.id).count() == 1
    assert world.production.stable_release_id == stable


def test_a_message_that_kills_whoever_runs_it_is_given_up(
    world: World, clock: ManualClock, queue: str
) -> None:
    with transaction.atomic():
        outbox.emit(
            "snapshot.publish",
            {"environment_id": str(world.cast.production.id)},
            delay=timedelta(minutes=1),
        )
    waiting = OutboxMessage.objects.filter(done_at=None, available_at__gt=clock.now())
    waiting.update(attempts=outbox.MAX_ATTEMPTS - 1)
    message = waiting.get()
    clock.advance(minutes=10)
    orders = {"now": clock.now().isoformat(), "queue": queue, "breach": False}
    run("control", orders, killed_at=KillPoint.OUTBOX_AFTER_CLAIM)
    message.refresh_from_db()
    assert (message.attempts, message.dead_at) == (outbox.MAX_ATTEMPTS, None)
    assert not outbox.deliver(message.pk), "its last attempt may be under way"
    clock.advance(minutes=10)
    assert not outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.dead_at == clock.now()
    assert "died" in message.last_error
    outbox.retry_dead(message.pk)
    assert outbox.deliver(message.pk), "a person may try again"


def owed(world: World) -> tuple[Promotion, Promotion]:
    """An approved promotion to production, and one to staging whose checks are still owed."""
    release = world.compose()
    staging = releases.request_promotion(
        actor=world.cast.actor("engineer"),
        project_id=world.cast.project.id,
        release_id=release.id,
        environment_id=world.cast.staging.id,
    )
    promotion = world.check(world.request(release))
    world.approve(promotion)
    return promotion, staging


def die_and_recover(clock: ManualClock, queue: str, case: str, *, breach: bool) -> None:
    """A process dies at its point; another, three hours later, finishes. Weights are looked at meanwhile."""
    with watch(database_url()) as watched:
        for killed_at in (case, ""):
            clock.advance(hours=3)  # claims of the dead are over
            orders = {"now": clock.now().isoformat(), "queue": queue, "breach": breach}
            run("control", orders, killed_at=killed_at)
            for rollout in Rollout.objects.all():
                check_decisions(rollout)
            assert not audit.verify().faults
    assert not watched.faults, watched.faults
    clock.advance(hours=3)


def check_control(rollout: Rollout) -> list[Any]:
    decisions = check_decisions(rollout)
    check_audit(rollout)
    check_published(rollout, kills=1)
    assert not OutboxMessage.objects.filter(done_at=None).exists(), "all is delivered and nothing is dead"
    return decisions


# --- messages to channels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(NOTIFY, quick=1))
def test_channels_are_told_in_order_whatever_kills_the_sender(
    cast: Cast, clock: ManualClock, queue: str, case: str
) -> None:
    with receiver() as first, receiver() as second:
        for number, hook in enumerate((first, second)):
            channel(cast, hook, name=f"hook-{number}")
        incident = opened(cast)
        acknowledge(actor=cast.actor("operator"), project_id=cast.project.id, incident_id=incident.id)
        for killed_at in (case, ""):
            clock.advance(hours=3)
            run("notify", {"now": clock.now().isoformat()}, killed_at=killed_at)
        assert {row.state for row in Delivery.objects.all()} == {"delivered"}
        for hook in (first, second):
            told = {one.headers["webhook-id"]: one.json["type"] for one in hook.received}
            assert list(told.values()) == ["incident.opened", "incident.acknowledged"], "once for each id"
            assert len(hook.received) <= len(told) + 1, "only what was on its way is sent twice"
            assert len({one.body for one in hook.received}) == len(told), "word for word the same"


# --- spool and drain -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(TELEMETRY, quick=3))
def test_every_record_is_stored_once_or_counted_whatever_kills_the_node(
    cast: Cast, tmp_path: Path, case: str
) -> None:
    bad: set[str] = set()
    good: set[str] = set()
    with (tmp_path / "offered.jsonl").open("w") as offered:
        for number in range(100):
            is_bad = number % 10 == 5
            one = event(latency_ms="slow") if is_bad else event()
            (bad if is_bad else good).add(one["id"])
            offered.write(json.dumps(one) + "\n")
    orders = {"directory": str(tmp_path), "database_url": database_url()}
    run("telemetry", orders, killed_at=case)
    told = outcomes(tmp_path)
    accepted = {name for name, outcome in told.items() if outcome == "accepted"}
    held = stored() | ids(tmp_path / "rejected.jsonl")
    for segment in (tmp_path / "spool").glob("*.jsonl"):
        held |= ids(segment)
    assert accepted <= held, "what was accepted is somewhere"
    check_counted()
    run("telemetry", orders)
    told = outcomes(tmp_path)
    assert told.keys() == good | bad
    assert set(told.values()) == {"accepted", "full"}
    accepted = {name for name, outcome in told.items() if outcome == "accepted"}
    assert stored() == accepted & good
    assert ids(tmp_path / "rejected.jsonl") == accepted & bad
    check_counted()


def outcomes(directory: Path) -> dict[str, str]:
    """What the writer was told of each record; none was told twice."""
    path = directory / "outcomes"
    told: dict[str, str] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        name, outcome = line.split()
        assert name not in told
        told[name] = outcome
    return told


def ids(path: Path) -> set[str]:
    return {json.loads(line)["id"] for line in path.read_text().splitlines()} if path.exists() else set()


def stored() -> set[str]:
    return {str(pk) for pk in Inference.objects.values_list("pk", flat=True)}


def check_counted() -> None:
    assert (Rollup.objects.aggregate(total=Sum("count"))["total"] or 0) == Inference.objects.count()


# --- a node's disk -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(NODE, quick=1))
def test_a_node_restores_a_whole_state_that_is_not_older_whatever_killed_it(
    world: World, tmp_path: Path, queue: str, case: str
) -> None:
    before = generations()
    orders = {"home": str(tmp_path), "database_url": database_url()}
    run("node", {**orders, "generations": before})
    assert restored(tmp_path) == before
    keys.create_service_key(
        actor=world.cast.actor("owner"), environment=world.cast.production, name="new", scopes=["serve"]
    )
    world.roll_out()
    after = generations()
    assert after != before
    run("node", {**orders, "generations": after}, killed_at=case)
    found = restored(tmp_path)
    assert found in (before, after), "one or the other, and nothing in between"
    run("node", {**orders, "generations": after})
    assert restored(tmp_path) == after
    assert not list(tmp_path.rglob("*.new"))


def generations() -> dict[str, int]:
    """The newest generation of each environment in the database."""
    heads = Root.objects.order_by("generation").values_list("environment_id", "generation")
    return {str(environment): generation for environment, generation in heads}


def restored(home: Path) -> dict[str, int]:
    """What a node without its database would serve: verified, with every document that the roots name."""
    saved = disk.load(home / "state")
    loader = Loader()
    state = loader.load(
        ServingState(),
        saved.roots,
        documents=saved.documents,
        trusted=saved.trusted,
        credentials=saved.credentials,
    )
    assert not any(loader.refusals.values())
    return {name: environment.generation for name, environment in state.environments.items()}
