"""Messages that no worker can digest: a real worker, killed by them or not, goes on with the next one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import redis
from celery import Celery
from django.conf import settings

from promptstore.core import outbox
from promptstore.core.killpoints import KillPoint
from promptstore.core.models import OutboxMessage
from promptstore.local import commands
from promptstore.local.embedded import ROOT
from tests.cast import Cast
from tests.chaos.instance import eventually
from tests.chaos.test_kill_points import database_url

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.proof,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("commits"),
]
_ENDS_S = 90


@pytest.fixture(autouse=True)
def fit_for_the_next() -> None:
    """These tests start a worker of their own and need no instance."""


@pytest.fixture
def sender() -> Iterator[Celery]:
    """Sends to a queue of this test alone."""
    app = Celery("poison", broker=settings.BROKER_URL, set_as_current=False)
    app.conf.task_default_queue = f"poison-{uuid4().hex}"
    yield app
    app.close()


@contextmanager
def worker(queue: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """One worker process with one child, until the block ends."""
    process = subprocess.Popen(
        [*commands.CELERY, "worker", "-n", f"{queue}@%h", "-Q", queue, "-c", "1", "--without-mingle"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def owe(cast: Cast) -> OutboxMessage:
    return OutboxMessage.objects.create(
        topic="snapshot.publish", payload={"environment_id": str(cast.production.id)}
    )


def done(message: OutboxMessage) -> bool:
    message.refresh_from_db()
    return message.done_at is not None


def test_a_worker_survives_messages_that_are_no_tasks(cast: Cast, sender: Celery) -> None:
    good = owe(cast)
    for arguments in (["no number"], [], [good.pk, good.pk], [{"$": 1}], [10**30]):
        sender.send_task("core.deliver", arguments)
    sender.send_task("core.unheard_of", [1])
    sender.send_task("releases.tick", ["unasked"])
    sender.send_task("core.deliver", [good.pk])
    with worker(sender.conf.task_default_queue) as process:
        eventually(lambda: done(good), "the good message behind them is done", within_s=_ENDS_S)
        assert process.poll() is None
        assert nothing_waits(sender)


def test_a_task_that_kills_its_process_is_tried_once_for_each_lease(cast: Cast, sender: Celery) -> None:
    poison = owe(cast)
    sender.send_task("core.deliver", [poison.pk])
    killing = {"PROMPTSTORE_TESTING": "1", "PROMPTSTORE_KILL_POINT": f"{KillPoint.OUTBOX_AFTER_CLAIM}:1"}
    with worker(sender.conf.task_default_queue, **killing) as process:

        def was_claimed() -> bool:
            poison.refresh_from_db()
            return poison.attempts > 0

        eventually(was_claimed, "the first child has begun and died", within_s=_ENDS_S)
        # It comes back at once, to the next child, who finds it claimed and is through with it.
        eventually(lambda: nothing_waits(sender), "the broker has nothing left", within_s=_ENDS_S)
        assert process.poll() is None, "only its child died"
        poison.refresh_from_db()
        assert poison.attempts < outbox.MAX_ATTEMPTS, "not as often as it can"
    eventually(lambda: outbox.deliver(poison.pk), "another does it once the lease is over")
    assert done(poison)


def nothing_waits(sender: Celery) -> bool:
    """Neither in the queue nor with a worker that has not acknowledged it."""
    queue = sender.conf.task_default_queue
    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        unacked = broker.hgetall("unacked")
        assert isinstance(unacked, dict)
        return not broker.llen(queue) and not any(queue.encode() in value for value in unacked.values())
