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

_RELEASE = re.compile(rb'"release":\{"version":"([^"]+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")
_PAUSE_S = 0.0005


def main() -> None:
    port, key, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    request = get_request(path, key=key)
    last = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            connection.sendall(request)
            answer = _read(connection)
            now = time.monotonic_ns()
            found = _RELEASE.search(answer)
            if found is None:
                sys.exit(f"unexpected answer: {answer[:300]!r}")
            if found[1] != last:
                last = found[1]
                print(now, last.decode(), flush=True)
            time.sleep(_PAUSE_S)


def _read(connection: socket.socket) -> bytes:
    """One whole answer."""
    answer = b""
    while True:
        piece = connection.recv(256 * 1024)
        if not piece:
            sys.exit("the node closed the connection")
        answer += piece
        head = answer.find(b"\r\n\r\n")
        length = _LENGTH.search(answer, 0, head + 2) if head >= 0 else None
        if length and len(answer) >= head + 4 + int(length[1]):
            return answer


if __name__ == "__main__":
    main()
