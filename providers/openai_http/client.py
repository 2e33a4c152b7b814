"""The client: one endpoint, with limits on time and size."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from providers.base import ChatChunk, ChatRequest, ChatResult, FailureKind, ProviderError
from providers.http1.connection import Connection
from providers.openai_http import payload
from providers.openai_http.responses import check_media_type, check_status
from providers.openai_http.sse import EventTooLargeError, SSEParser
from providers.posting import Poster


class OpenAIHTTP:
    """A `ChatProvider` for `{base_url}/chat/completions` (`base_url` ends in `/v1` on most servers).

    Raises `guard.UrlRefusedError` when made with a URL that may not be called; a name that turns out to
    resolve to a refused address fails the call as `unavailable`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str | None = None,
        allow_private: bool = False,
        connect_timeout_s: float = 5.0,
        max_response_bytes: int = 8_000_000,
    ) -> None:
        self._poster = Poster(
            url=base_url.rstrip("/") + "/chat/completions",
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            allow_private=allow_private,
            connect_timeout_s=connect_timeout_s,
        )
        self._max_bytes = max_response_bytes

    async def chat(self, request: ChatRequest) -> ChatResult:
        started = time.perf_counter()
        async with self._post(request, stream=False) as answer:
            await check_status(answer)
            check_media_type(answer, "application/json")
            raw = await answer.whole(limit=self._max_bytes)
        return payload.decode_result(raw, latency_ms=round((time.perf_counter() - started) * 1000))

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        try:
            async with self._post(request, stream=True) as answer:
                await check_status(answer)
                check_media_type(answer, "text/event-stream")
                async for chunk in self._chunks(answer):
                    yield chunk
        except EventTooLargeError as error:
            raise ProviderError(FailureKind.TOO_LARGE, str(error)) from error

    async def aclose(self) -> None:
        await self._poster.aclose()

    def _post(self, request: ChatRequest, *, stream: bool) -> AbstractAsyncContextManager[Connection]:
        return self._poster.post(
            payload.encode(request, stream=stream), timeout_s=request.timeout_s, headers=request.headers
        )

    async def _chunks(self, answer: Connection) -> AsyncIterator[ChatChunk]:
        parser = SSEParser(max_event_bytes=self._max_bytes)
        received = 0
        finished = False
        while piece := await answer.piece():
            received += len(piece)
            if received > self._max_bytes:
                raise ProviderError(
                    FailureKind.TOO_LARGE, f"the stream is larger than {self._max_bytes} bytes"
                )
            for data in parser.feed(piece):
                if data == "[DONE]":
                    return
                chunk = payload.decode_chunk(data)
                finished = finished or chunk.finish_reason is not None
                yield chunk
        if not finished:
            raise ProviderError(FailureKind.TRUNCATED, "the stream ended before the answer did")
