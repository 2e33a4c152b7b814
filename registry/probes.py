"""Whether an endpoint answers: one request through the guard for outgoing URLs. Pure."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import aiohttp

from providers.guard import UrlRefusedError, check_url, guarded_connector

TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class ClientSettings:
    """What it takes to talk to an endpoint. `api_key` is the secret in the clear: it stays in memory."""

    protocol: str
    base_url: str
    api_key: str | None
    allow_private: bool
    revision: int

    def __repr__(self) -> str:
        return f"ClientSettings({self.protocol}, {self.base_url}, revision={self.revision})"


@dataclass(frozen=True)
class ProbeResult:
    """`ok` when the endpoint answered as its protocol says; `detail` is a sentence for operators, without secrets."""

    ok: bool
    detail: str
    latency_ms: int | None = None


Probe = Callable[[ClientSettings], Awaitable[ProbeResult]]


def probe(settings: ClientSettings) -> ProbeResult:
    """Ask once, within five seconds. Never raises for what an endpoint or its URL may do."""
    try:
        check_url(settings.base_url, allow_private=settings.allow_private)
    except UrlRefusedError as error:
        return ProbeResult(ok=False, detail=f"This URL may not be called: {error}.")
    ask = PROBES[settings.protocol]
    # A thread of its own has no event loop yet, whoever calls.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(_bounded(ask, settings))).result()


async def _bounded(ask: Probe, settings: ClientSettings) -> ProbeResult:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            result = await ask(settings)
    except TimeoutError:
        return ProbeResult(ok=False, detail=f"No answer within {TIMEOUT_S:g} seconds.")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return ProbeResult(ok=False, detail=_failure(error))
    return ProbeResult(
        ok=result.ok, detail=result.detail, latency_ms=round((time.perf_counter() - started) * 1000)
    )


def _failure(error: Exception) -> str:
    """A connection's failure in words; the connector wraps what the guard says about a resolved address."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, UrlRefusedError):
        return f"This URL may not be called: {cause}."
    said = str(cause)
    if isinstance(cause, OSError) and cause.errno:
        # Errors of name resolution have numbers of their own, below zero, and good words.
        said = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return f"The endpoint cannot be reached: {(said or type(cause).__name__)[:300]}."


def _getting(path: str, *, otherwise: str) -> Probe:
    """Asks `GET {base_url}{path}`, which runs no model. `otherwise` is what to try if nothing is there."""

    async def ask(settings: ClientSettings) -> ProbeResult:
        headers = {"Accept-Encoding": "identity"}
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key}"
        connector = guarded_connector(allow_private=settings.allow_private)
        async with (
            aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(
                settings.base_url.rstrip("/") + path, headers=headers, allow_redirects=False
            ) as response,
        ):
            await response.content.read(MAX_BYTES)
            if response.status == 404:
                return ProbeResult(ok=False, detail=f"Nothing is at {path} below this URL; {otherwise}.")
            return _verdict(response.status)

    return ask


def _verdict(status: int) -> ProbeResult:
    if 200 <= status < 300:
        return ProbeResult(ok=True, detail="The endpoint answers.")
    if status in {401, 403}:
        return ProbeResult(ok=False, detail=f"The endpoint refuses this API key (HTTP {status}).")
    if 300 <= status < 400:
        return ProbeResult(ok=False, detail=f"The endpoint redirects (HTTP {status}); enter the final URL.")
    return ProbeResult(ok=False, detail=f"The endpoint answers with HTTP {status}.")


PROBES: Final[dict[str, Probe]] = {
    "openai_http": _getting("/models", otherwise="most base URLs end in /v1"),
}
"""By protocol; a protocol of `providers` without a probe cannot be configured."""
