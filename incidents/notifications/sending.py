"""One attempt to send a message: through the guard for outgoing URLs, without redirects, bounded in time and size."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiohttp

from providers.guard import UrlRefusedError, check_url, guarded_connector
from providers.openai_http.responses import retry_after_s

TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 16_384


class Verdict(StrEnum):
    """What an attempt means for the message: `gone` also switches the channel off (HTTP 410)."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that is ready to go. URL, headers and body may hold secrets, so none of them is ever printed."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `detail` is a sentence for operators: no secrets, and nothing the receiver wrote."""

    verdict: Verdict
    detail: str
    status: int | None = None
    retry_after_s: float | None = None


async def send(outgoing: Outgoing) -> Outcome:
    """POST once, within 15 seconds. Never raises for what a receiver, its name or its network may do."""
    try:
        check_url(outgoing.url, allow_private=outgoing.allow_private)
        async with asyncio.timeout(TIMEOUT_S):
            return await _post(outgoing)
    except UrlRefusedError as error:
        return _refused_url(error)
    except aiohttp.InvalidURL:
        return Outcome(
            Verdict.REFUSED, "This URL may not be called: its host is neither a name nor an address."
        )
    except TimeoutError:
        return Outcome(Verdict.RETRY, f"No answer within {TIMEOUT_S:g} seconds.")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _failure(error)


async def _post(outgoing: Outgoing) -> Outcome:
    async with (
        aiohttp.ClientSession(
            connector=guarded_connector(allow_private=outgoing.allow_private),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
        session.post(
            outgoing.url,
            data=outgoing.body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Promptstore",
                "Accept-Encoding": "identity",
                **outgoing.headers,
            },
            allow_redirects=False,
        ) as response,
    ):
        outcome = _judge(response.status, response.headers.get("Retry-After"))
        # The status decides; a little is read so that a well-behaved receiver sees its answer taken.
        await response.content.read(MAX_ANSWER_BYTES)
        return outcome


def _judge(status: int, retry_after: str | None) -> Outcome:
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED, "Delivered.", status)
    if status == 410:
        return Outcome(Verdict.GONE, "The receiver is gone for good (HTTP 410).", status)
    if status == 429 or status >= 500:
        return Outcome(
            Verdict.RETRY,
            f"The receiver cannot take it now (HTTP {status}).",
            status,
            retry_after_s(retry_after),
        )
    if 300 <= status < 400:
        return Outcome(
            Verdict.REFUSED, f"The receiver redirects (HTTP {status}); enter the final URL.", status
        )
    return Outcome(Verdict.REFUSED, f"The receiver refuses this message (HTTP {status}).", status)


def _refused_url(error: UrlRefusedError) -> Outcome:
    return Outcome(Verdict.REFUSED, f"This URL may not be called: {error}."[:300])


def _failure(error: Exception) -> Outcome:
    """A connection's failure in words of ours: what libraries say may repeat the URL."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, UrlRefusedError):
        return _refused_url(cause)
    said = type(cause).__name__
    if isinstance(cause, ssl.SSLError):
        said = "its TLS handshake failed"
    elif isinstance(cause, OSError) and cause.errno:
        # Errors of name resolution have numbers of their own, below zero, and good words.
        said = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return Outcome(Verdict.RETRY, f"The receiver cannot be reached: {said}."[:300])
