"""The embedded servers one by one, for tests, benchmarks and tools: real parts without a supervisor.

    with embedded_postgres(directory, durable=False) as postgres, embedded_valkey(directory) as valkey:
        connect(postgres.app_url)

Enter them in the main thread: the servers end with the thread that started them. Tests that share servers
across processes use `promptstore.local.shared`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promptstore.local import model
from promptstore.local.errors import LocalError
from promptstore.local.home import Home
from promptstore.local.postgres import EmbeddedPostgres
from promptstore.local.process import ManagedProcess
from promptstore.local.readiness import Readiness
from promptstore.local.service import Service
from promptstore.local.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class PostgresUrls:
    """A server with roles and the database in place. `superuser_url` names the maintenance database."""

    app_url: str
    owner_url: str
    superuser_url: str


@contextmanager
def embedded_postgres(home: Path, *, durable: bool = True) -> Iterator[PostgresUrls]:
    """PostgreSQL with its data below `home`, for one process at a time. Raises `LocalError`."""
    server = EmbeddedPostgres(home=Home.open(home.resolve()), durable=durable)
    server.prepare()
    with running(server.service(), server.home):
        server.ensure_roles()
        yield PostgresUrls(
            app_url=server.app_url, owner_url=server.owner_url, superuser_url=server.superuser_url()
        )


@contextmanager
def embedded_valkey(home: Path) -> Iterator[str]:
    """The URL of a Valkey with its data below `home`. Raises `LocalError`."""
    server = EmbeddedValkey(home=Home.open(home.resolve()))
    with running(server.service(), server.home):
        yield server.url


@contextmanager
def local_model(home: Path) -> Iterator[str]:
    """The base URL (`…/v1`) of the local model. Raises `LocalError` if it is not installed."""
    if lacking := model.missing():
        raise LocalError(f"no local model: {lacking}")
    server = model.LocalModel(home=Home.open(home.resolve()), root=ROOT)
    with running(server.service(os.environ), server.home):
        yield server.url


@contextmanager
def running(service: Service, home: Home) -> Iterator[ManagedProcess]:
    """One child from its start until the block ends.

    Raises `LocalError` with the end of its log if it does not get ready.
    """
    process = ManagedProcess(service, run_directory=home.run, log_directory=home.logs)
    process.start()
    try:
        await_ready(process, service)
        yield process
    finally:
        process.terminate()
        deadline = time.monotonic() + service.stop_timeout_s
        while process.running() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        process.kill()


def await_ready(process: ManagedProcess, service: Service) -> None:
    """Wait until the probe says so. Raises `LocalError` if the child ends or time is up."""
    deadline = time.monotonic() + service.ready_timeout_s
    while service.ready() is not Readiness.READY:
        if not process.running() or time.monotonic() > deadline:
            raise LocalError(process.failure())
        time.sleep(_POLL_S)
