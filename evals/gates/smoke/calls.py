"""Calling the model: a few requests at once, each tried a few times."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from providers import ChatProvider, ChatRequest, ChatResult, FailureKind, ProviderError, build
from registry.probes import ClientSettings

MAX_PAUSE_S = 5.0
_FIRST_PAUSE_S = 0.25
# Asking again the same way would get the same answer.
_FINAL = {FailureKind.BAD_REQUEST, FailureKind.UNAUTHORIZED, FailureKind.TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request: a result or the last failure, after `attempts` tries."""

    attempts: int
    result: ChatResult | None = None
    failure: ProviderError | None = None


def call_all(
    settings: ClientSettings, requests: Sequence[ChatRequest], *, attempts: int, concurrency: int
) -> list[Reply]:
    """Send every request; replies in the same order.

    Runs an event loop of its own, so it must not be called from inside one. Raises `ValueError` for an unknown protocol,
    `guard.UrlRefusedError` for a URL that may not be called.
    """
    return asyncio.run(_call_all(settings, requests, attempts, concurrency))


async def _call_all(
    settings: ClientSettings, requests: Sequence[ChatRequest], attempts: int, concurrency: int
) -> list[Reply]:
    provider = build(
        settings.protocol,
        base_url=settings.base_url,
        api_key=settings.api_key,
        allow_private=settings.allow_private,
    )
    slots = asyncio.Semaphore(concurrency)

    async def one(request: ChatRequest) -> Reply:
        async with slots:
            return await _call(provider, request, attempts)

    try:
        return list(await asyncio.gather(*(one(request) for request in requests)))
    finally:
        await provider.aclose()


async def _call(provider: ChatProvider, request: ChatRequest, attempts: int) -> Reply:
    attempt = 0
    while True:
        attempt += 1
        try:
            return Reply(attempt, result=await provider.chat(request))
        except ProviderError as failure:
            if attempt >= attempts or failure.kind in _FINAL:
                return Reply(attempt, failure=failure)
            pause_s = failure.retry_after_s or _FIRST_PAUSE_S * 2 ** (attempt - 1)
        await asyncio.sleep(min(pause_s, MAX_PAUSE_S))
