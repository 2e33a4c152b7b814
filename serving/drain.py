"""From the spool to Postgres.

Batches by COPY, one transaction each, safe to repeat. While Postgres is down it waits.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import orjson
import psycopg
import structlog

from promptstore.core.killpoints import KillPoint, reach
from serving.database import Connection, connect
from telemetry import ingest_sql
from telemetry.spool import Spool

_log = structlog.get_logger("serving")
_BATCH_EVENTS = 500
# A batch costs the same for one event as for a hundred, so events gather for a moment unless a batch is full already.
_GATHER_S = 0.25
_MAX_BACKOFF_S = 10.0
_MAX_REJECTED_BYTES = 10_000_000
_MAX_STRAY_PLACES = 100
# The event itself is at fault, whatever the state of the database.
_BAD_DATA = (psycopg.errors.DataError, psycopg.errors.IntegrityError)


class Drain:
    """Delivers spooled events.

    An event the database cannot take is counted and, up to 10 MB, set aside in `rejected.jsonl`. One of a project or environment
    that is not there (any more) has nowhere to go: it is dropped and counted.
    """

    def __init__(self, spool: Spool, *, database_url: str, rejected_path: Path) -> None:
        self._spool = spool
        self._database_url = database_url
        self._rejected_path = rejected_path
        self.delivered = 0
        self.rejected = 0
        self.strays: Counter[tuple[str, str]] = Counter()

    async def run(self) -> None:
        """Deliver until cancelled."""
        failures = 0
        while True:
            try:
                # Before anything else: what is spooled must be safe also while the database cannot be
                # reached.
                await asyncio.to_thread(self._spool.sync)
                async with await connect(self._database_url) as connection:
                    while True:
                        delivered = await self.deliver_batch(connection)
                        failures = 0
                        if delivered < _BATCH_EVENTS:
                            await asyncio.sleep(_GATHER_S)
            except (psycopg.Error, OSError) as error:
                failures += 1
                if failures == 1:
                    _log.warning("drain.waiting", error=str(error).strip())
            backoff_s = min(_MAX_BACKOFF_S, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def deliver_batch(self, connection: Connection) -> int:
        """Deliver the next batch, if there is one; returns its number of events. The spool forgets it only after the commit."""
        await asyncio.to_thread(self._spool.sync)
        batch = await asyncio.to_thread(self._spool.read, max_events=_BATCH_EVENTS)
        if batch is None:
            return 0
        await self._ingest(connection, batch.events)
        await asyncio.to_thread(self._spool.acknowledge, batch)
        return len(batch.events)

    async def _ingest(self, connection: Connection, events: Sequence[bytes]) -> None:
        if not events:
            return
        try:
            strays = await self._transfer(connection, events)
        except (*_BAD_DATA, KeyError) as error:
            if len(events) == 1:
                await asyncio.to_thread(self._reject, events[0], str(error).strip())
                return
            # Halve until the faulty event is alone; the others are delivered.
            middle = len(events) // 2
            await self._ingest(connection, events[:middle])
            await self._ingest(connection, events[middle:])
        else:
            self.delivered += len(events) - strays.total()
            self._count_strays(strays)

    async def _transfer(self, connection: Connection, events: Sequence[bytes]) -> Counter[tuple[str, str]]:
        """Returns the events that belonged nowhere, by project and environment."""
        async with connection.transaction():
            await connection.execute(ingest_sql.CREATE_TEMP)
            async with connection.cursor() as cursor, cursor.copy(ingest_sql.COPY) as copy:
                for event in events:
                    await copy.write_row((orjson.loads(event)["id"], event.decode()))
            found = await connection.execute(ingest_sql.STRAYS)
            strays = Counter({(project, name): count for project, name, count in await found.fetchall()})
            await connection.execute(ingest_sql.INGEST)
            reach(KillPoint.DRAIN_BEFORE_COMMIT)
        reach(KillPoint.DRAIN_AFTER_COMMIT)
        return strays

    def _count_strays(self, strays: Counter[tuple[str, str]]) -> None:
        for place, count in strays.items():
            if place not in self.strays and len(self.strays) >= _MAX_STRAY_PLACES:
                place = ("", "")  # noqa: PLW2901 - names come from events: what is remembered of them is bounded
            if place not in self.strays:  # once for each place, not for each batch
                _log.warning("events.unknown_place", project=place[0], environment=place[1], count=count)
            self.strays[place] += count

    def _reject(self, event: bytes, why: str) -> None:
        self.rejected += 1
        _log.error("event.rejected", reason=why)
        if self._rejected_path.exists() and self._rejected_path.stat().st_size > _MAX_REJECTED_BYTES:
            return
        with self._rejected_path.open("ab") as file:
            file.write(event + b"\n")
        reach(KillPoint.DRAIN_AFTER_REJECTION)
