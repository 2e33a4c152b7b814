"""Asks for one feature over and over and says when its release changes: `<monotonic ns> <version>` per line.

`python -m bench.poller PORT KEY PATH`. A process of its own, so that it shares no interpreter with what commits;
CLOCK_MONOTONIC is the same for all processes of a machine.
"""

from __future__ import annotations

import re
import socket
import sys
import time

from bench.client import get_request

_RELEASE = re.compile(rb"\r\nx-promptstore-release: ([^\r]+)\r\n", re.IGNORECASE)
_PAUSE_S = 0.0005


def main() -> None:
    port, key, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    request = get_request(path, key=key)
    last = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            connection.sendall(request)
            answer = connection.recv(256 * 1024)
            now = time.monotonic_ns()
            found = _RELEASE.search(answer)
            if found is None:
                sys.exit(f"unexpected answer: {answer[:300]!r}")
            if found[1] != last:
                last = found[1]
                print(now, last.decode(), flush=True)
            _drain(connection, answer)
            time.sleep(_PAUSE_S)


def _drain(connection: socket.socket, answer: bytes) -> None:
    """Read the rest of an answer that came in pieces."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        missing -= len(connection.recv(missing))


if __name__ == "__main__":
    main()
