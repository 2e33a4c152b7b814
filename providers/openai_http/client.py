"""The client: one session, one endpoint, no redirects, limits on time and size."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from providers.base import ChatChunk, ChatRequest, ChatResult, FailureKind, ProviderError
from providers.guard import UrlRefusedError, check_url, guarded_connector
from providers.openai_http import payload
from providers.openai_http.responses import check_media_type, check_status, read_capped
from providers.openai_http.sse import EventTooLargeError, SSEParser


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
        self._url = check_url(base_url.rstrip("/") + "/chat/completions", allow_private=allow_private)
        self._headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._allow_private = allow_private
        self._connect_timeout_s = connect_timeout_s
        self._max_bytes = max_response_bytes
        self._session: aiohttp.ClientSession | None = None

    async def chat(self, request: ChatRequest) -> ChatResult:
        started = time.perf_counter()
        async with self._post(request, stream=False) as response:
            check_media_type(response, "application/json")
            raw = await read_capped(response, limit=self._max_bytes)
        return payload.decode_result(raw, latency_ms=round((time.perf_counter() - started) * 1000))

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        async with self._post(request, stream=True) as response:
            check_media_type(response, "text/event-stream")
            parser = SSEParser(max_event_bytes=self._max_bytes)
            received = 0
            finished = False
            async for piece in response.content.iter_any():
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

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _post(self, request: ChatRequest, *, stream: bool) -> AsyncIterator[aiohttp.ClientResponse]:
        with _failures(request.timeout_s):
            async with self._opened().post(
                self._url,
                data=payload.encode(request, stream=stream),
                headers={**self._headers, **request.headers},
                timeout=aiohttp.ClientTimeout(total=request.timeout_s, sock_connect=self._connect_timeout_s),
                allow_redirects=False,
            ) as response:
                await check_status(response)
                yield response

    def _opened(self) -> aiohttp.ClientSession:
        # Made on first use: a session belongs to the event loop it is made in, and providers are built
        # outside of one.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=guarded_connector(allow_private=self._allow_private),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


@contextmanager
def _failures(timeout_s: float) -> Iterator[None]:
    """aiohttp's exceptions as `ProviderError`. Order matters: some are several things at once."""
    try:
        yield
    except EventTooLargeError as error:
        raise ProviderError(FailureKind.TOO_LARGE, str(error)) from error
    except TimeoutError as error:
        raise ProviderError(FailureKind.TIMEOUT, f"no complete answer within {timeout_s:g} s") from error
    except aiohttp.ClientPayloadError as error:
        raise ProviderError(FailureKind.TRUNCATED, "the connection broke off inside the answer") from error
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, UrlRefusedError)
        what = "refused by the URL guard" if refused else "cannot reach the endpoint"
        raise ProviderError(FailureKind.UNAVAILABLE, f"{what}: {error.os_error}") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise ProviderError(FailureKind.UNAVAILABLE, f"the connection failed: {error}") from error
    except aiohttp.ClientError as error:
        raise ProviderError(FailureKind.MALFORMED, f"not an HTTP answer: {type(error).__name__}") from error
