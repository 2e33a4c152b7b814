"""A closed-loop HTTP client in a process of its own: keep-alive connections, one request in flight on each.

Plain sockets and epoll, because a client that costs more than the server would measure itself.
`python -m bench.client` reads a job as JSON from standard input and writes the result as JSON.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

_OK = b"HTTP/1.1 200"
_BUFFER_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round: `cpu_s` is the client's own processor time, `latencies_us` p50 and p99 under this load."""

    requests: int
    seconds: float
    cpu_s: float
    p50_us: float
    p99_us: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def get_request(path: str, *, key: str) -> bytes:
    """A GET as bytes."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nAccept: */*\r\n\r\n"
    ).encode()


class _Connection:
    """One connection and the answer it waits for."""

    __slots__ = ("expected", "received", "sent_at", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.expected = 0
        self.received = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.expected = self.received = 0
        self.sent_at = time.perf_counter()
        self.sock.sendall(request)

    def receive(self, buffer: bytearray, view: memoryview) -> bool:
        """Take what has arrived; whether the answer is complete. Raises on anything but 200."""
        count = self.sock.recv_into(view)
        if count == 0:
            raise ConnectionError("the server closed the connection")
        if not self.expected:
            if not buffer.startswith(_OK):
                raise ConnectionError(f"unexpected answer: {bytes(view[: min(count, 300)])!r}")
            self.expected = _length(buffer, count)
        self.received += count
        return self.received == self.expected


def _length(buffer: bytearray, count: int) -> int:
    """Bytes of the whole answer: its head, and the body that `content-length` announces."""
    head = buffer.find(b"\r\n\r\n", 0, count)
    start = buffer.find(b"content-length: ", 0, head)
    if head < 0 or start < 0:
        raise ConnectionError("expected a head in one piece, with a content-length")
    end = buffer.find(b"\r\n", start)
    return head + 4 + int(buffer[start + 16 : end])


def run(*, port: int, requests: list[bytes], connections: int, seconds: float) -> Round:
    """Keep `connections` busy for `seconds`, going through `requests` in turn."""
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    poll = select.epoll()
    open_ones: dict[int, _Connection] = {}
    latencies: list[float] = []
    following = 0
    started, cpu = time.perf_counter(), time.process_time()
    until = started + seconds
    for _ in range(connections):
        connection = _Connection(port)
        open_ones[connection.sock.fileno()] = connection
        poll.register(connection.sock.fileno(), select.EPOLLIN)
        connection.send(requests[following % len(requests)])
        following += 1
    now = started
    while now < until:
        for descriptor, _ in poll.poll(1.0):
            connection = open_ones[descriptor]
            if connection.receive(buffer, view):
                now = time.perf_counter()
                latencies.append(now - connection.sent_at)
                connection.send(requests[following % len(requests)])
                following += 1
        now = time.perf_counter()
    spent, cpu = now - started, time.process_time() - cpu
    for connection in open_ones.values():
        connection.sock.close()
    poll.close()
    latencies.sort()
    return Round(
        requests=len(latencies),
        seconds=spent,
        cpu_s=cpu,
        p50_us=1e6 * latencies[len(latencies) // 2],
        p99_us=1e6 * latencies[len(latencies) * 99 // 100],
    )


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    os.sched_setaffinity(0, job.pop("cores"))
    job["requests"] = [get_request(path, key=job["key"]) for path in job.pop("paths")]
    del job["key"]
    json.dump(asdict(run(**job)), sys.stdout)


if __name__ == "__main__":
    main()
