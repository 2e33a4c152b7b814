from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import FailureKind, ProviderError
from providers.http1.connection import MAX_SILENT_BYTES, Connection

BODY = b'{"text": "Use eight workers."}'
WITH_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
    b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in (BODY[:1], BODY[1:9], BODY[9:])
)
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\n" + BODY
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@asynccontextmanager
async def answered(*pieces: bytes, closes: bool = False) -> AsyncIterator[Connection]:
    """A connection to a server on loopback that answers a request with these bytes, in these pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if closes:
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
        try:
            yield connection
        finally:
            connection.end()
            connection.abort()
            await connection.lost


def ask(connection: Connection, *, within_s: float = 5.0) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    connection.send(b"POST / HTTP/1.1\r\n\r\n", deadline=deadline, timeout_s=within_s)


async def read(connection: Connection, *, limit: int = 1_000_000) -> bytes:
    await connection.head()
    return await connection.whole(limit=limit)


async def failure(connection: Connection) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await read(connection)
    return caught.value


def fed(data: bytes, cuts: list[int], *, ends: bool = False) -> tuple[int, dict[str, str], bytes, bool]:
    """What comes of an answer that arrives cut at these places; without a network, for speed."""

    async def run() -> tuple[int, dict[str, str], bytes, bool]:
        connection = Connection()
        connection.connection_made(_Wire())
        ask(connection)
        places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        for start, end in pairwise(places):
            connection.data_received(data[start:end])
        if ends:
            connection.connection_lost(None)
        body = await read(connection)
        return connection.status, connection.headers, body, connection.end()

    return asyncio.run(run())


class _Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        return

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


CUTS = st.lists(st.integers(0, 400), max_size=12)


@given(CUTS)
def test_an_answer_is_the_same_wherever_its_bytes_are_cut(cuts: list[int]) -> None:
    status, headers, body, reusable = fed(WITH_LENGTH, cuts)
    assert (status, headers["content-type"], body, reusable) == (200, "application/json", BODY, True)
    assert fed(CHUNKED + b"0\r\nX-Trailer: 1\r\n\r\n", cuts)[2:] == (BODY, True)
    assert fed(INTERIM + WITH_LENGTH, cuts)[1:] == (headers, BODY, True)
    assert fed(TO_THE_END, cuts, ends=True)[2:] == (BODY, False)


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_an_answer_or_a_failure_with_a_kind(data: bytes, cuts: list[int]) -> None:
    try:
        found = str(fed(data, cuts, ends=True)[0])
    except ProviderError as error:
        found = error.kind
    assert found.isdecimal() or found in {
        FailureKind.MALFORMED,
        FailureKind.TRUNCATED,
        FailureKind.UNAVAILABLE,
    }


async def test_a_connection_carries_one_exchange_after_the_other() -> None:
    async with answered(WITH_LENGTH) as connection:
        for _ in range(3):
            ask(connection)
            assert await read(connection) == BODY
            assert connection.end()


@pytest.mark.parametrize(
    "answer",
    [
        WITH_LENGTH.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n", 1),
        WITH_LENGTH + WITH_LENGTH,
        WITH_LENGTH + b"more",
    ],
    ids=["it says so", "a second answer", "bytes after the answer"],
)
async def test_a_connection_is_not_used_again_where_that_is_not_safe(answer: bytes) -> None:
    async with answered(answer) as connection:
        ask(connection)
        assert await read(connection) == BODY
        assert not connection.end()
        assert not connection.is_open


async def test_an_answer_that_is_left_early_takes_its_connection_along() -> None:
    async with answered(CHUNKED) as connection:
        ask(connection)
        await connection.head()
        assert await connection.piece()
        assert not connection.end()


async def test_a_connection_that_is_closed_by_then_takes_no_request() -> None:
    wire, connection = _Wire(), Connection()
    connection.connection_made(wire)
    connection.connection_lost(None)
    with pytest.raises(ProviderError) as caught:
        ask(connection)
    assert caught.value.kind == FailureKind.UNAVAILABLE


async def test_bytes_that_nobody_asked_for_close_the_connection() -> None:
    wire, connection = _Wire(), Connection()
    connection.connection_made(wire)
    connection.data_received(WITH_LENGTH)
    assert wire.closed


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FailureKind.UNAVAILABLE),
        (b"HTTP/1.1 200 OK\r\nContent-", FailureKind.UNAVAILABLE),
        (WITH_LENGTH[:-3], FailureKind.TRUNCATED),
        (CHUNKED, FailureKind.TRUNCATED),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.MALFORMED),
        (WITH_LENGTH.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1), FailureKind.MALFORMED),
        (
            CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1),
            FailureKind.MALFORMED,
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            FailureKind.MALFORMED,
        ),
    ],
)
async def test_what_is_no_whole_answer_fails_with_its_kind(answer: bytes, kind: FailureKind) -> None:
    async with answered(answer, closes=True) as connection:
        ask(connection)
        assert (await failure(connection)).kind == kind


async def test_what_does_not_come_in_time_does_not_come() -> None:
    async with answered() as silent:
        ask(silent, within_s=0.05)
        assert (await failure(silent)).kind == FailureKind.TIMEOUT
    async with answered(WITH_LENGTH[:-3]) as stuck:
        ask(stuck, within_s=0.05)
        error = await failure(stuck)
        assert (error.kind, error.detail) == (FailureKind.TIMEOUT, "no complete answer within 0.05 s")
        assert not stuck.end()


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * (MAX_SILENT_BYTES * 2),
        b"HTTP/1.1 200 OK\r\n" + b"X-Next: 1\r\n" * MAX_SILENT_BYTES,
        CHUNKED + b"0\r\nX-Trailer: " + b"a" * (MAX_SILENT_BYTES * 2),
    ],
    ids=["one header", "many headers", "a trailer"],
)
async def test_headers_without_end_are_given_up(endless: bytes) -> None:
    async with answered(*(endless[at : at + 16_384] for at in range(0, len(endless), 16_384))) as connection:
        ask(connection)
        error = await failure(connection)
        assert error.kind == FailureKind.MALFORMED
        assert not connection.is_open


async def test_a_body_over_the_limit_is_given_up_announced_or_not() -> None:
    for answer in (WITH_LENGTH, CHUNKED):
        async with answered(answer) as connection:
            ask(connection)
            await connection.head()
            with pytest.raises(ProviderError) as caught:
                await connection.whole(limit=len(BODY) - 1)
            assert caught.value.kind == FailureKind.TOO_LARGE


async def test_a_server_waits_while_nobody_takes_what_it_sent() -> None:
    wire, connection = _Wire(), Connection()
    connection.connection_made(wire)
    ask(connection)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 300_000)
    paused = [wire.paused]
    assert len(await connection.piece()) == 300_000
    paused.append(wire.paused)
    assert paused == [True, False]
    connection.end()


async def test_a_repeated_header_is_one_list() -> None:
    async with answered(WITH_LENGTH.replace(b"\r\n\r\n", b"\r\nVia: a\r\nvia: b\r\n\r\n", 1)) as connection:
        ask(connection)
        await connection.head()
        assert connection.headers["via"] == "a, b"


async def test_a_caller_that_goes_away_leaves_nothing_behind() -> None:
    async with answered() as connection:
        ask(connection)
        reading = asyncio.create_task(connection.head())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not connection.end()
