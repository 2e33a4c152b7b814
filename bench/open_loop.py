"""An open-loop HTTP client in a process of its own: requests leave at planned moments, whether or not earlier ones were answered.

A latency is counted from the planned moment, not from the sending: otherwise a server that stalls would delay the client too, and
the wait of all who came during the stall would go unseen (“coordinated omission”). Plain sockets and `select`, whose timeout is
exact to microseconds where epoll's and an event loop's are whole milliseconds; a client that costs little disturbs little.

`python -m bench.open_loop` reads a job as JSON from standard input and writes what was found as JSON.
"""

from __future__ import annotations

import gc
import heapq
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httptools

# Replaced by the number of the request, in as many digits: every call can be another unit.
NUMBER = "{number}"
_DIGITS = len(NUMBER)
_MAX_OPEN = 800  # `select` takes descriptors below 1,024
_IDLE_S = 20.0  # servers close idle connections later than this
_PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One constant stream of equal requests: `per_second` of them to `port`."""

    name: str
    port: int
    request: str
    per_second: float


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What became of one stream, in the order of the plan.

    `first_us` and `total_us` run from the planned moment to the first byte of the body and to its end, in microseconds; of an
    answer that is not 200 both are None and `statuses` counts it; `not sent` are those for which no connection was left.
    """

    first_us: list[float | None]
    total_us: list[float | None]
    statuses: Mapping[str, int]

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if status != "200")


@dataclass(frozen=True, kw_only=True)
class Load:
    """A run. `busy` is the share of a core that the client used; 99 % of the requests were sent within `late_us` of the plan."""

    answers: Mapping[str, Answers]
    seconds: float
    busy: float
    late_us: float


def post_request(path: str, *, key: str = "", body: object) -> str:
    """A POST of JSON as text."""
    text = json.dumps(body)
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}"
    )


def plan(rates: Sequence[float], *, seconds: float) -> Iterator[tuple[float, int]]:
    """`(moment, stream)` in order of time: each stream evenly spaced, and the streams between each other rather than in step."""

    def one(index: int, rate: float) -> Iterator[tuple[float, int]]:
        first = index / (len(rates) * rate)
        return ((first + number / rate, index) for number in range(round(seconds * rate)))

    return heapq.merge(*(one(index, rate) for index, rate in enumerate(rates)))


@dataclass(eq=False)
class _Connection:
    """One connection, and the request it carries. It is the parser's protocol."""

    stream: int
    sock: socket.socket
    number: int = 0
    planned: float = 0.0
    first: float = 0.0
    done: bool = False
    stays_open: bool = False
    idle_since: float = 0.0
    parser: Any = field(init=False)

    def __post_init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_body(self, _: bytes) -> None:
        if not self.first:
            self.first = time.perf_counter()

    def on_message_complete(self) -> None:
        self.done = True
        self.stays_open = self.parser.should_keep_alive()  # the parser has forgotten it after the message

    def begin(self, number: int, planned: float) -> None:
        self.number, self.planned, self.first, self.done = number, planned, 0.0, False


class _Run:
    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams
        self._idle: list[list[_Connection]] = [[] for _ in streams]
        self._busy: dict[socket.socket, _Connection] = {}
        self._late: list[float] = []
        self._sent = [0] * len(streams)
        self._first: list[list[float | None]] = [[] for _ in streams]
        self._total: list[list[float | None]] = [[] for _ in streams]
        self._statuses: list[Counter[str]] = [Counter() for _ in streams]

    def run(self, *, seconds: float) -> Load:
        moments = plan([stream.per_second for stream in self._streams], seconds=seconds)
        started, cpu = time.perf_counter(), time.process_time()
        upcoming = next(moments, None)
        while upcoming or self._busy:
            now = time.perf_counter()
            while upcoming and started + upcoming[0] <= now:
                self._send(upcoming[1], started + upcoming[0])
                upcoming = next(moments, None)
                now = time.perf_counter()
            wait_s = max(0.0, started + upcoming[0] - now) if upcoming else _PATIENCE_S
            ready, _, _ = select.select(list(self._busy), [], [], wait_s)
            for sock in ready:
                self._receive(self._busy[sock])
            if not upcoming and not ready:
                raise SystemExit(f"{len(self._busy)} answers did not come within {_PATIENCE_S:.0f} s")
        spent = time.perf_counter() - started
        self._late.sort()
        return Load(
            answers={
                stream.name: Answers(
                    first_us=self._first[index], total_us=self._total[index], statuses=self._statuses[index]
                )
                for index, stream in enumerate(self._streams)
            },
            seconds=spent,
            busy=(time.process_time() - cpu) / spent,
            late_us=1e6 * self._late[len(self._late) * 99 // 100],
        )

    def _send(self, index: int, planned: float) -> None:
        stream, number = self._streams[index], self._sent[index]
        self._sent[index] += 1
        self._first[index].append(None)
        self._total[index].append(None)
        connection = self._take(index)
        if connection is None:
            self._statuses[index]["not sent"] += 1
            return
        connection.begin(number, planned)
        request = stream.request.replace(NUMBER, f"{number:0{_DIGITS}d}")
        connection.sock.sendall(request.encode())
        self._late.append(time.perf_counter() - planned)
        self._busy[connection.sock] = connection

    def _take(self, index: int) -> _Connection | None:
        """The connection used last, so that the others may grow old and go; a new one where all are busy, as far as they go."""
        idle = self._idle[index]
        now = time.perf_counter()
        while idle and now - idle[0].idle_since > _IDLE_S:
            idle.pop(0).sock.close()
        if idle:
            return idle.pop()
        if len(self._busy) >= _MAX_OPEN:
            return None
        sock = socket.create_connection(("127.0.0.1", self._streams[index].port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Connection(stream=index, sock=sock)

    def _receive(self, connection: _Connection) -> None:
        try:
            piece = connection.sock.recv(256 * 1024)
            if piece:
                connection.parser.feed_data(piece)
        except (OSError, httptools.HttpParserError):
            piece = b""
        if not piece:
            self._close(connection, "broken")
        elif connection.done:
            self._finish(connection, time.perf_counter())

    def _finish(self, connection: _Connection, now: float) -> None:
        index, number = connection.stream, connection.number
        status = connection.parser.get_status_code()
        self._statuses[index][str(status)] += 1
        if status == 200:
            self._first[index][number] = 1e6 * (connection.first - connection.planned)
            self._total[index][number] = 1e6 * (now - connection.planned)
        del self._busy[connection.sock]
        if connection.stays_open:
            connection.idle_since = now
            self._idle[index].append(connection)
        else:
            connection.sock.close()

    def _close(self, connection: _Connection, why: str) -> None:
        self._statuses[connection.stream][why] += 1
        del self._busy[connection.sock]
        connection.sock.close()


def run(streams: Iterable[Stream], *, seconds: float) -> Load:
    """Send the streams for `seconds` from this process and wait for the last answer."""
    return _Run(list(streams)).run(seconds=seconds)


def start(streams: Iterable[Stream], *, seconds: float, cores: set[int]) -> subprocess.Popen[str]:
    """`run` in a process of its own, on `cores` (any, if empty); `finish` waits for it."""
    job = {"streams": [vars(stream) for stream in streams], "seconds": seconds, "cores": sorted(cores)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.open_loop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    return process


def finish(process: subprocess.Popen[str]) -> Load:
    """What a client from `start` found."""
    assert process.stdout is not None
    found = process.stdout.read()
    if process.wait():
        raise SystemExit("the client failed; what it said stands above")
    raw = json.loads(found)
    answers = {name: Answers(**one) for name, one in raw.pop("answers").items()}
    return Load(answers=answers, **raw)


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    if job["cores"]:
        os.sched_setaffinity(0, job["cores"])
    gc.disable()  # a run ends before memory matters, and a collection would look like the server's slowness
    found = run([Stream(**stream) for stream in job["streams"]], seconds=job["seconds"])
    body = {**vars(found), "answers": {name: vars(one) for name, one in found.answers.items()}}
    json.dump(body, sys.stdout)


if __name__ == "__main__":
    main()
