"""One connection: a request goes out, its answer comes in pieces as they arrive. The bytes are parsed by llhttp (`httptools`)."""

from __future__ import annotations

import asyncio
from typing import cast

import httptools

from providers.base import FailureKind, ProviderError

# Bytes that bring no body: heads, trailers, sizes of chunks. A server that sends more of them in a row answers nothing.
MAX_SILENT_BYTES = 65_536
# Of a body that nobody takes. Above it the server has to wait.
_MAX_HELD_BYTES = 262_144


class Connection(asyncio.Protocol):
    """Carries one exchange after the other.

    `send`, then `head`, then `piece` until it is empty, or `whole`; each raises `ProviderError`. `status` and `headers` (names in
    lower case, repeated ones joined by a comma) are known after `head`. `end` says whether the connection may carry another one.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._active = False
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head_seen = self._complete = self._stays_open = self._paused = False
        self._pieces: list[bytes] = []
        self._held = self._silent = 0
        self._error: ProviderError | None = None

    # What a call does

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it."""
        return not self.lost.done() and self._transport is not None and not self._transport.is_closing()

    def send(self, request: bytes, *, deadline: float, timeout_s: float) -> None:
        """Send a request. Whatever of its answer is not there at `deadline` (of the loop's clock) will not come; `timeout_s`
        is how a failure puts that. Raises `ProviderError` where the connection is closed already.
        """
        if self._transport is None or not self.is_open:
            raise ProviderError(
                FailureKind.UNAVAILABLE, "the connection failed: it was closed before the request"
            )
        self._begin()
        self._active = True
        self._parser = httptools.HttpResponseParser(self)
        late = ProviderError(FailureKind.TIMEOUT, f"no complete answer within {timeout_s:g} s")
        self._timer = self._loop.call_at(deadline, self._fail, late)
        self._transport.write(request)

    async def head(self) -> None:
        """Wait for the status and the headers."""
        while not self._head_seen:
            await self._something()

    async def piece(self) -> bytes:
        """What has come of the body since the last piece; empty at its end."""
        while not self._pieces:
            if self._complete:
                return b""
            await self._something()
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return taken

    async def whole(self, *, limit: int) -> bytes:
        """The body, or `too_large` as soon as it is known to be, without reading the rest."""
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise ProviderError(
                FailureKind.TOO_LARGE, f"the answer announces {announced} bytes, over {limit}"
            )
        body = bytearray()
        while piece := await self.piece():
            body += piece
            if len(body) > limit:
                raise ProviderError(FailureKind.TOO_LARGE, f"the answer is larger than {limit} bytes")
        return bytes(body)

    def end(self) -> bool:
        """End the exchange. False, and the connection is closed, where it cannot carry another one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._active = False
        self._parser = None
        if self._complete and self._stays_open and not self._pieces and self.is_open:
            return True
        self.abort()
        return False

    def abort(self) -> None:
        """Close at once. A call under way fails."""
        if self._transport is not None:
            self._transport.abort()

    async def _something(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: ProviderError) -> None:
        if self._active and self._error is None and not self._complete:
            self._error = error
            self._wake()
        self.abort()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        if self._parser is None:  # nobody asked
            self.abort()
            return
        held = self._held
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            what = error.__context__ or error
            self._fail(ProviderError(FailureKind.MALFORMED, f"not an HTTP answer: {what}"))
            return
        self._silent = 0 if self._held > held else self._silent + len(data)
        if self._silent > MAX_SILENT_BYTES and not self._complete:
            self._fail(ProviderError(FailureKind.MALFORMED, f"over {MAX_SILENT_BYTES} bytes of headers"))
        elif self._held > _MAX_HELD_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head_seen and exc is None and self._ends_with_connection():
            self._complete = True
        elif self._head_seen:
            self._fail(ProviderError(FailureKind.TRUNCATED, "the connection broke off inside the answer"))
        else:
            why = exc or "it was closed before the answer"
            self._fail(ProviderError(FailureKind.UNAVAILABLE, f"the connection failed: {why}"))
        if not self.lost.done():
            self.lost.set_result(None)
        self._wake()

    def _ends_with_connection(self) -> bool:
        """Whether the end of the body is the end of the connection (RFC 9112 §6.3, rule 8)."""
        chunked = self.headers.get("transfer-encoding", "").rpartition(",")[2].strip().lower() == "chunked"
        return not chunked and "content-length" not in self.headers

    # What the parser calls

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_seen:
            return  # a trailer: nothing here reads any
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        self.status = self._parser.get_status_code()
        if self.status == 101:
            raise ValueError("it changes to another protocol")
        self._head_seen = self.status >= 200

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self.status < 200:  # an interim answer; the final one follows
            self.headers = {}
            return
        self._complete = True
        self._stays_open = self._parser.should_keep_alive()
