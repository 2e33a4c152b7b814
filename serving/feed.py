"""How new snapshots reach a node.

LISTEN, then load; a full load after every reconnect, and a poll in case a wake-up is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import datetime
from pathlib import Path

import psycopg
import structlog

from promptstore.core import clock
from serving import disk
from serving.database import Connection, connect, rows
from serving.freshness import Freshness
from serving.identity import NodeIdentity
from serving.loading import Loader
from serving.settings import NodeSettings
from serving.state import ServingState, StateHolder
from serving.verify import SignedRoot

_log = structlog.get_logger("serving")

_LOAD_TIMEOUT_S = 15.0
_REGISTER_EVERY_S = 30.0
_MAX_BACKOFF_S = 10.0

# One step per environment instead of a scan over all generations (an index skip scan, written out).
_HEADS = """
WITH RECURSIVE env AS (
  (SELECT environment_id FROM serving_root ORDER BY environment_id LIMIT 1)
  UNION ALL
  SELECT (SELECT r.environment_id FROM serving_root r WHERE r.environment_id > env.environment_id
          ORDER BY r.environment_id LIMIT 1)
  FROM env WHERE env.environment_id IS NOT NULL
)
SELECT env.environment_id::text, head.id
FROM env CROSS JOIN LATERAL (
  SELECT id FROM serving_root r WHERE r.environment_id = env.environment_id
  ORDER BY epoch DESC, generation DESC LIMIT 1
) head
"""
_ROOTS = "SELECT environment_id::text, body, signature, key_id FROM serving_root WHERE id = ANY(%s)"
_DOCUMENTS = "SELECT digest, body FROM serving_document WHERE digest = ANY(%s)"
_TRUSTED = "SELECT key_id, public_key FROM core_signingkey WHERE key_id = ANY(%s)"
_CREDENTIALS = "SELECT endpoint_id::text, sealed FROM serving_nodecredential WHERE node = %s"
_REGISTER = """
INSERT INTO serving_node (name, public_key, seen_at, generation) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE
SET public_key = excluded.public_key, seen_at = excluded.seen_at, generation = excluded.generation
"""


class Feed:
    """Keeps the state holder in step with the database, and the disk in step with the holder."""

    def __init__(
        self, settings: NodeSettings, *, holder: StateHolder, identity: NodeIdentity, freshness: Freshness
    ) -> None:
        self._settings = settings
        self._holder = holder
        self._identity = identity
        self._freshness = freshness
        self.loader = Loader()
        self._served: dict[str, object] = {}
        self._saved: ServingState | None = None
        self._registered_at = float("-inf")

    @property
    def _directory(self) -> Path:
        return self._settings.home / "state"

    def restore(self) -> None:
        """Serve what was saved on disk, verified anew. Call once, before `run`."""
        saved = disk.load(self._directory)
        if saved.as_of is None:
            return
        self._holder.swap(
            self.loader.load(
                self._holder.current,
                saved.roots,
                documents=saved.documents,
                trusted=saved.trusted,
                credentials=saved.credentials,
            )
        )
        self._saved = self._holder.current
        self._freshness.restored(saved.as_of)
        _log.info("state.restored", environments=len(self._holder.current.environments))

    async def run(self) -> None:
        """Follow the database until cancelled.

        Waits longer and longer, with jitter, while it cannot be reached.
        """
        failures = 0
        while True:
            try:
                async with await connect(self._settings.database_url) as connection:
                    # LISTEN comes before the load: what is published in between wakes us again.
                    await connection.execute("LISTEN promptstore_snapshot")
                    # It may be another server now, whose row of the same id says something else: look at every head again.
                    self._served.clear()
                    await self._refresh(connection)
                    failures = 0
                    await self._follow(connection)
            except (psycopg.Error, OSError, TimeoutError) as error:
                failures += 1
                self._freshness.lost()
                if failures == 1:
                    _log.warning("feed.lost", error=str(error).strip())
            backoff_s = min(_MAX_BACKOFF_S, 0.1 * 2 ** min(failures, 10))
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def _follow(self, connection: Connection) -> None:
        while True:
            async with contextlib.aclosing(
                connection.notifies(timeout=self._settings.poll_s, stop_after=1)
            ) as wake_ups:
                async for _ in wake_ups:
                    pass
            await self._refresh(connection)

    async def _refresh(self, connection: Connection) -> None:
        async with asyncio.timeout(_LOAD_TIMEOUT_S):
            changed = await self._load(connection)
            await self._save(as_of=self._freshness.contacted())
            try:
                await self._register(connection, force=changed)
            except psycopg.errors.DiskFull as error:
                # The database can be read: what is served is up to date, though nobody can be told that this node is here.
                _log.warning("node.not_registered", error=str(error).strip())

    async def _save(self, *, as_of: datetime) -> None:
        """Keep what is served on disk. Where that fails it is served all the same, and the next round tries again."""
        state = self._holder.current
        if state is self._saved:
            return
        try:
            await asyncio.to_thread(disk.save, self._directory, state, dict(self.loader.bodies), as_of=as_of)
        except OSError as error:
            _log.warning("state.not_saved", error=str(error))
        else:
            self._saved = state

    async def _load(self, connection: Connection) -> bool:
        heads = {str(environment): head for environment, head in await rows(connection, _HEADS)}
        behind = [head for environment, head in heads.items() if self._served.get(environment) != head]
        credentials = {
            str(name): _bytes(sealed)
            for name, sealed in await rows(connection, _CREDENTIALS, [self._settings.name])
        }
        roots = [
            SignedRoot(str(environment_id), _bytes(body), _bytes(signature), str(key_id))
            for environment_id, body, signature, key_id in (
                await rows(connection, _ROOTS, [behind]) if behind else []
            )
        ]
        trusted = await rows(connection, _TRUSTED, [[root.key_id for root in roots]]) if roots else []
        missing = self.loader.missing(roots)
        documents = await rows(connection, _DOCUMENTS, [list(missing)]) if missing else []
        present = self._holder.current
        state = self.loader.load(
            present,
            roots,
            documents={str(digest): _bytes(body) for digest, body in documents},
            trusted={str(key_id): _bytes(public_key) for key_id, public_key in trusted},
            credentials=credentials,
        )
        for root in roots:
            served = state.environments.get(root.environment_id)
            if served is not None and served.root.signed.body == root.body and served.refused is None:
                self._served[root.environment_id] = heads[root.environment_id]
        if state is present:
            return False
        self._holder.swap(state)
        _log.info(
            "snapshot.loaded",
            generations={f"{e.project}/{e.name}": e.generation for e in state.environments.values()},
        )
        return True

    async def _register(self, connection: Connection, *, force: bool) -> None:
        """Tell the control plane that this node is here, so that credentials get sealed to its key."""
        now = asyncio.get_running_loop().time()
        if not force and now - self._registered_at < _REGISTER_EVERY_S:
            return
        generation = max((e.generation for e in self._holder.current.environments.values()), default=0)
        name, key = self._settings.name, self._identity.public_key
        await connection.execute(_REGISTER, [name, key, clock.now(), generation])
        if self._registered_at == float("-inf"):
            await connection.execute("SELECT pg_notify('promptstore_node', %s)", [name])
        self._registered_at = now


def _bytes(value: object) -> bytes:
    return bytes(value)  # type: ignore[call-overload,no-any-return]  # psycopg gives bytea as bytes or memoryview
