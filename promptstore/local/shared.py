"""One set of embedded servers for many processes, such as the workers of a parallel test run.

    with shared_services(directory) as services:
        connect(services.database_url)

The first user starts a keeper process, the others join it. Every user holds a shared lock on a file, which
the kernel drops when the user ends, however it ends; once the keeper can lock it alone, nobody is left,
and it stops the servers and itself. The data stays and is used again; it is not durable: for tests only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from promptstore.local import logs, model
from promptstore.local.embedded import ROOT, embedded_postgres, embedded_valkey, local_model
from promptstore.local.errors import LocalError
from promptstore.local.home import Home, write_private
from promptstore.local.records import started_at, stop_leftovers

_START_TIMEOUT_S = 120.0
_POLL_S = 0.05
_IDLE_POLL_S = 0.25


@dataclass(frozen=True, kw_only=True)
class SharedServices:
    """Where the shared servers are. `model_url` is `None` if the local model is not installed."""

    database_url: str
    database_owner_url: str
    superuser_url: str
    broker_url: str
    model_url: str | None


@contextmanager
def shared_services(directory: Path) -> Iterator[SharedServices]:
    """Join the servers of `directory`, starting them if nobody uses them yet. Raises `LocalError`."""
    home = Home.open(directory.resolve())
    with _lock_file(home, "users") as users:
        with _lock_file(home, "start") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            services = _read(home) or _start_keeper(home)
            # Taken before the start lock is given up, so that the keeper cannot leave in between.
            fcntl.flock(users, fcntl.LOCK_SH)
        yield services


def keep(directory: Path) -> None:
    """Run the servers until nobody uses them. The keeper's own program."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    home = Home.open(directory)
    with contextlib.ExitStack() as stack:
        # Opened first and therefore closed last: who comes while the servers stop waits until they have.
        start, users = (stack.enter_context(_lock_file(home, name)) for name in ("start", "users"))
        stop_leftovers(home.run)
        postgres = stack.enter_context(embedded_postgres(directory, durable=False))
        broker_url = stack.enter_context(embedded_valkey(directory))
        model_url = stack.enter_context(local_model(directory)) if model.missing() is None else None
        stack.callback(_file(home).unlink, missing_ok=True)
        _write(
            home,
            SharedServices(
                database_url=postgres.app_url,
                database_owner_url=postgres.owner_url,
                superuser_url=postgres.superuser_url,
                broker_url=broker_url,
                model_url=model_url,
            ),
        )
        while not _unused(start, users):
            time.sleep(_IDLE_POLL_S)


def _unused(start: int, users: int) -> bool:
    """Whether nobody uses the servers; if so, both locks are held.

    A new user holds the start lock until it counts as one: only both together prove that nobody is there.
    """
    try:
        fcntl.flock(start, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(start, fcntl.LOCK_UN)
        return False
    return True


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _start_keeper(home: Home) -> SharedServices:
    log = home.logs / "keeper.log"
    logs.rotate(log)
    with log.open("ab") as output:
        # In a session of its own: Ctrl-C in a test run must not end the servers before the tests have.
        keeper = subprocess.Popen(
            [sys.executable, "-m", "promptstore.local.shared", str(home.path)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_TIMEOUT_S
    while (services := _read(home)) is None:
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.kill()
            raise LocalError(f"the shared servers did not start. The end of {log}:\n{logs.tail(log)}")
        time.sleep(_POLL_S)
    return services


def _file(home: Home) -> Path:
    return home.run / "services.json"


def _write(home: Home, services: SharedServices) -> None:
    keeper = {"pid": os.getpid(), "started": started_at(os.getpid())}
    write_private(_file(home), json.dumps({"keeper": keeper, "services": asdict(services)}))


def _read(home: Home) -> SharedServices | None:
    """What the living keeper wrote; a file that a killed one left behind does not count."""
    try:
        content = json.loads(_file(home).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    keeper = content["keeper"]
    return SharedServices(**content["services"]) if started_at(keeper["pid"]) == keeper["started"] else None


@contextmanager
def _lock_file(home: Home, name: str) -> Iterator[int]:
    """A descriptor to lock; closing it gives the lock up. Children do not inherit it."""
    descriptor = os.open(home.run / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
