"""The connections to one endpoint: kept open between calls, the one used last first."""

from __future__ import annotations

import asyncio
import ssl

from yarl import URL

from providers.base import FailureKind, ProviderError
from providers.guard import GuardedResolver, UrlRefusedError
from providers.http1.connection import Connection
from providers.http1.dialing import dial

# Servers close idle connections after 5 s and more; a request that meets the closing half-way is lost.
_IDLE_S = 15.0


class Pool:
    """At most `limit` connections at once; who comes then waits. Belongs to the event loop in which it is first used."""

    def __init__(self, url: URL, resolver: GuardedResolver, *, connect_timeout_s: float, limit: int) -> None:
        self._url = url
        self._resolver = resolver
        self._connect_timeout_s = connect_timeout_s
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[tuple[Connection, float]] = []
        self._busy: set[Connection] = set()
        self._closed = False

    async def take(self, *, deadline: float) -> Connection:
        """A connection for one exchange; `give_back` must follow. `deadline` is on the loop's clock. Raises `ProviderError`."""
        await self._slot(deadline)
        try:
            connection = self._kept() or await self._dialled(deadline)
        except BaseException:
            self._slots.release()
            raise
        self._busy.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """End the exchange of a connection from `take`, wherever it stands."""
        self._busy.discard(connection)
        now = asyncio.get_running_loop().time()
        if connection.end():
            if self._closed:
                connection.abort()
            else:
                self._idle.append((connection, now))
        while self._idle and now - self._idle[0][1] > _IDLE_S:
            self._idle.pop(0)[0].abort()
        self._slots.release()

    async def aclose(self) -> None:
        """Close everything; calls under way fail."""
        self._closed = True
        connections = [*self._busy, *(connection for connection, _ in self._idle)]
        self._idle.clear()
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.lost for connection in connections), return_exceptions=True)
        await self._resolver.close()

    def _kept(self) -> Connection | None:
        fresh_since = asyncio.get_running_loop().time() - _IDLE_S
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_open and since >= fresh_since:
                return connection
            connection.abort()
        return None

    async def _slot(self, deadline: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise ProviderError(FailureKind.TIMEOUT, "all connections to the endpoint are in use") from error

    async def _dialled(self, deadline: float) -> Connection:
        if self._closed:
            raise ProviderError(FailureKind.UNAVAILABLE, "the endpoint's connections have been closed")
        left_s = min(self._connect_timeout_s, deadline - asyncio.get_running_loop().time())
        try:
            connection = await dial(self._url, self._resolver, timeout_s=left_s)
        except TimeoutError as error:
            raise ProviderError(FailureKind.TIMEOUT, f"no connection within {left_s:.3g} s") from error
        except UrlRefusedError as error:
            raise ProviderError(FailureKind.UNAVAILABLE, f"refused by the URL guard: {error}") from error
        except ssl.SSLError as error:
            raise ProviderError(FailureKind.UNAVAILABLE, f"no secure connection: {error}") from error
        except OSError as error:
            raise ProviderError(FailureKind.UNAVAILABLE, f"cannot reach the endpoint: {error}") from error
        return connection
