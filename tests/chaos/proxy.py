"""A TCP proxy in front of Postgres that cuts a connection at a COMMIT, so that its client never learns the outcome."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from django.db import connections

_CHUNK = 65_536
_PATIENCE_S = 30
_OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
"""


class Cut(StrEnum):
    """On which way the COMMIT is lost."""

    COMMIT = "commit"
    ANSWER = "answer"


class Proxy:
    """Passes everything on until told to cut; one cut for each order."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._order: tuple[Cut, bytes] | None = None
        self._sockets: list[socket.socket] = []
        self.cuts = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The database's URL with the proxy for its server."""
        parts = urlsplit(self._url)
        place = f"{parts.username}:{parts.password}@127.0.0.1:{self.port}"
        return parts._replace(netloc=place, query="sslmode=disable&gssencmode=disable").geturl()

    def cut(self, what: Cut, *, commit_of: str) -> None:
        """Cut at the next COMMIT of a transaction in whose statements `commit_of` occurs."""
        self._order = (what, commit_of.encode())

    def await_rollback(self) -> None:
        """Until the server has noticed too: behind a pooler it may hold the cut transaction's locks a moment longer."""
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as beside:
            deadline = time.monotonic() + _PATIENCE_S
            while beside.execute(_OPEN).fetchone() != (0,):
                assert time.monotonic() < deadline, "the cut transaction is still open"
                time.sleep(0.01)  # polls what another process does

    def serve(self) -> None:
        """Until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _pass_on(self, client: socket.socket) -> None:
        server = _connect(self._url)
        self._sockets.append(server)
        deaf = threading.Event()
        threading.Thread(target=self._answers, args=[server, client, deaf], daemon=True).start()
        statements = b""
        with suppress(OSError):
            while chunk := client.recv(_CHUNK):
                statements += chunk
                if chunk.startswith(b"Q") and b"COMMIT" in chunk:
                    cut = self._due(statements)
                    statements = b""
                    if cut is Cut.COMMIT:
                        break
                    if cut is Cut.ANSWER:
                        deaf.set()
                server.sendall(chunk)
        _hang_up(client, server)

    def _answers(self, server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while (chunk := server.recv(_CHUNK)) and not deaf.is_set():
                client.sendall(chunk)
        # Deaf, with an answer in hand: the server has committed, and nobody is told.
        _hang_up(client, server)

    def _due(self, statements: bytes) -> Cut | None:
        if self._order is None or self._order[1] not in statements:
            return None
        what, self._order = self._order[0], None
        self.cuts += 1
        return what


def _hang_up(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    host = options.get("host", [unquote(parts.hostname or "127.0.0.1")])[0]
    port = int(options.get("port", [str(parts.port or 5432)])[0])
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the database; Django's default connection goes through it until the block ends."""
    proxy = Proxy(url)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    connection = connections["default"]
    before: dict[str, Any] = connection.settings_dict
    connection.close()
    connection.settings_dict = {
        **before,
        "HOST": "127.0.0.1",
        "PORT": str(proxy.port),
        "OPTIONS": {**before["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"},
    }
    try:
        yield proxy
    finally:
        connection.close()
        connection.settings_dict = before
        proxy.close()
        thread.join(10)
