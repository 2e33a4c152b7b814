"""One serving node: everything it is made of, and how it starts and stops."""

from __future__ import annotations

import asyncio

import structlog

from serving.breakers import Breakers
from serving.drain import Drain
from serving.feed import Feed
from serving.freshness import Freshness
from serving.identity import load_identity
from serving.last_answers import LastAnswers
from serving.limits import RateLimiter
from serving.metrics import Metrics
from serving.mirror import Mirror
from serving.pins import Pins
from serving.records import Recorder
from serving.settings import NodeSettings
from serving.state import StateHolder
from serving.upstreams import Upstreams
from telemetry.spool import Spool

_log = structlog.get_logger("serving")


class Node:
    """The parts, wired. Making one opens the spool, and fails when another process has it."""

    def __init__(self, settings: NodeSettings) -> None:
        self.settings = settings
        self.holder = StateHolder()
        self.freshness = Freshness()
        self.metrics = Metrics()
        self.limiter = RateLimiter()
        self.breakers = Breakers(self.holder, self.metrics)
        self.last_answers = LastAnswers()
        identity = load_identity(settings.home, master_key=settings.master_key)
        self.pins = Pins(identity.derive("serving-pin"))
        self.upstreams = Upstreams(identity)
        self.spool = Spool(settings.home / "spool", max_bytes=settings.spool_max_bytes)
        self.recorder = Recorder(spool=self.spool, identity=identity, node=settings.name)
        self.mirror = Mirror(
            holder=self.holder,
            upstreams=self.upstreams,
            recorder=self.recorder,
            metrics=self.metrics,
            at_once=settings.mirror_at_once,
            queue=settings.mirror_queue,
        )
        self.feed = Feed(settings, holder=self.holder, identity=identity, freshness=self.freshness)
        self.drain = Drain(
            self.spool, database_url=settings.database_url, rejected_path=settings.home / "rejected.jsonl"
        )
        self.stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Serve what the disk holds at once; follow the database and deliver events in the background."""
        self.feed.restore()
        for name, work in (("feed", self.feed.run()), ("drain", self.drain.run())):
            task = asyncio.create_task(work, name=name)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    def begin_stop(self) -> None:
        """End streams that would run forever; new requests still get answers until the server closes."""
        self.stopping = True
        self.holder.wake()

    async def stop(self) -> None:
        """Stop the background work, and leave the spool synced.

        What is in it is delivered after the next start.
        """
        self.begin_stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.mirror.stop()
        await self.upstreams.aclose()
        await asyncio.to_thread(self.spool.close)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Background tasks run until cancelled.

        One that ends by itself is a defect, and the node says so in /readyz.
        """
        if not task.cancelled() and not self.stopping:
            _log.error("task.died", task=task.get_name(), error=repr(task.exception()))

    @property
    def dead_tasks(self) -> list[str]:
        return [task.get_name() for task in self._tasks if task.done() and not self.stopping]
