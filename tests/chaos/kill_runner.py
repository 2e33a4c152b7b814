"""One process of the product under a test's orders, made to be killed: it works until nothing is left to do.

`python -m tests.chaos.kill_runner control|notify|telemetry|node '<orders as JSON>'`. It calls what worker, scheduler and the
serving node call, and starts where an earlier process was cut off. Which point kills it, the environment says.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from queue import Empty

from tests.chaos.instance import eventually

_MAX_PASSES = 40
_DRAIN_EVERY = 20


def control(*, now: str, queue: str, breach: bool) -> None:
    """Scheduler and worker in one: tick, relay, deliver, seal, six minutes with traffic, and again until all is at rest."""
    import django

    django.setup()
    from promptstore.celery import app
    from promptstore.core import audit, clock, outbox
    from promptstore.core.clock import ManualClock
    from promptstore.core.models import AuditPending, OutboxMessage
    from promptstore.core.tasks import deliver
    from releases import controller
    from releases.models import Promotion, Rollout
    from tests.traffic import record

    app.conf.task_default_queue = queue
    open_promotions = ["checking", "awaiting_approval", "approved", "rolling_out"]

    def work() -> None:
        """What a worker does with what the broker hands out."""
        with app.connection_for_read() as connection, closing(connection.SimpleQueue(queue)) as waiting:
            while True:
                try:
                    message = waiting.get(block=False)
                except Empty:
                    return
                deliver(*message.payload[0])
                message.ack()

    def traffic(manual: ManualClock) -> None:
        for _ in range(6):
            for rollout in Rollout.objects.filter(state__in=["running", "rolling_back"]):
                # Nothing is wrong in shadow and at the canary, so that there is a way to go down.
                hits = 10 if breach and rollout.step_index > 1 else 0
                record(rollout, "candidate" if rollout.step_index else "shadow", 10, policy_hits=hits)
                record(rollout, "stable", 10)
            manual.advance(minutes=1)

    def at_rest() -> bool:
        return not (
            OutboxMessage.objects.filter(done_at=None, dead_at=None).exists()
            or AuditPending.objects.exists()
            or Promotion.objects.filter(state__in=open_promotions).exists()
        )

    manual = ManualClock(datetime.fromisoformat(now))
    with clock.use(manual):
        for _ in range(_MAX_PASSES):
            controller.tick()
            outbox.relay()
            work()
            audit.seal_pending()
            if at_rest():
                return
            traffic(manual)
    sys.exit("work is left")


def notify(*, now: str) -> None:
    """What the timetable does with messages to channels, every two minutes until none is pending."""
    import django

    django.setup()
    from incidents.models import Delivery
    from incidents.services.deliveries import send_due
    from promptstore.core import clock
    from promptstore.core.clock import ManualClock

    manual = ManualClock(datetime.fromisoformat(now))
    with clock.use(manual):
        for _ in range(_MAX_PASSES):
            send_due()
            if not Delivery.objects.filter(state="pending").exists():
                return
            manual.advance(minutes=2)
    sys.exit("messages are left")


async def telemetry(*, directory: str, database_url: str) -> None:
    """Offer the records that have no outcome in `outcomes` yet, and drain after every 20; the spool is too small for them.

    The outcome is written after the spool has answered, as a client learns it.
    """
    from serving.database import connect
    from serving.drain import Drain
    from telemetry.spool import Spool

    home = Path(directory)
    outcomes = home / "outcomes"
    known = {line.split()[0] for line in outcomes.read_text().splitlines()} if outcomes.exists() else set()
    offered = (home / "offered.jsonl").read_bytes().splitlines()
    with (
        Spool(home / "spool", max_bytes=14_000, segment_bytes=4_000) as spool,
        outcomes.open("ab", buffering=0) as told,
    ):
        drain = Drain(spool, database_url=database_url, rejected_path=home / "rejected.jsonl")
        async with await connect(database_url) as connection:
            for number, line in enumerate(offered):
                if number % _DRAIN_EVERY == 0:
                    while await drain.deliver_batch(connection):
                        pass
                name = json.loads(line)["id"]
                if name not in known:
                    reason = spool.append(line)
                    told.write(f"{name} {reason or 'accepted'}\n".encode())
            while await drain.deliver_batch(connection):
                pass


async def node(*, home: str, database_url: str, generations: dict[str, int]) -> None:
    """Restore from disk, then follow the database until the disk holds these generations."""
    from serving import disk
    from serving.feed import Feed
    from serving.freshness import Freshness
    from serving.identity import load_identity
    from serving.settings import NodeSettings
    from serving.state import StateHolder
    from serving.verify import Root

    settings = NodeSettings(database_url=database_url, home=Path(home), name="node-1")
    identity = load_identity(settings.home)
    feed = Feed(settings, holder=StateHolder(), identity=identity, freshness=Freshness())
    feed.restore()
    following = asyncio.create_task(feed.run())

    def saved() -> dict[str, int]:
        roots = disk.load(settings.home / "state").roots
        return {signed.environment_id: Root.parse(signed).generation for signed in roots}

    await asyncio.to_thread(eventually, lambda: saved() == generations, "the disk holds these generations")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


if __name__ == "__main__":
    orders = json.loads(sys.argv[2])
    match sys.argv[1]:
        case "control":
            control(**orders)
        case "notify":
            notify(**orders)
        case "telemetry":
            asyncio.run(telemetry(**orders))
        case "node":
            asyncio.run(node(**orders))
