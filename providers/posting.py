"""What providers over HTTP share: one URL behind the guard, no redirects, a limit on time, failures as `ProviderError`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from providers.guard import GuardedResolver, check_url
from providers.http1.connection import Connection
from providers.http1.pool import Pool

# Of one endpoint at once. Long answers hold a connection each, so this bounds streams; what is over it waits.
MAX_CONNECTIONS = 1_000


class Poster:
    """Posts JSON to `url`, with `headers` on every request.

    Raises `guard.UrlRefusedError` when made with a URL that may not be called, `ValueError` for a header that cannot be sent; a
    name that turns out to resolve to a refused address fails the call as `unavailable`.
    """

    def __init__(
        self, *, url: str, headers: Mapping[str, str], allow_private: bool, connect_timeout_s: float
    ) -> None:
        checked = check_url(url, allow_private=allow_private)
        fixed = {
            "Host": checked.host_port_subcomponent or "",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": "promptstore",
            "Content-Type": "application/json",
            **headers,
        }
        self._start = f"POST {checked.raw_path_qs} HTTP/1.1\r\n".encode("ascii") + _lines(fixed)
        self._pool = Pool(
            checked,
            GuardedResolver(allow_private=allow_private),
            connect_timeout_s=connect_timeout_s,
            limit=MAX_CONNECTIONS,
        )

    @asynccontextmanager
    async def post(
        self, body: bytes, *, timeout_s: float, headers: Mapping[str, str]
    ) -> AsyncIterator[Connection]:
        """The answer, whatever its status, with its head read; `timeout_s` bounds it to its last byte."""
        request = b"%b%bContent-Length: %d\r\n\r\n%b" % (self._start, _lines(headers), len(body), body)
        deadline = asyncio.get_running_loop().time() + timeout_s
        answer = await self._pool.take(deadline=deadline)
        try:
            answer.send(request, deadline=deadline, timeout_s=timeout_s)
            await answer.head()
            yield answer
        finally:
            self._pool.give_back(answer)

    async def aclose(self) -> None:
        """Close the connections. Calls under way fail."""
        await self._pool.aclose()


def _lines(headers: Mapping[str, str]) -> bytes:
    """Headers as they are sent. Raises `ValueError` for one that would end its line."""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if len(text.splitlines()) != len(headers) or "\x00" in text:
        raise ValueError("a header holds a line break or NUL")
    return text.encode()
