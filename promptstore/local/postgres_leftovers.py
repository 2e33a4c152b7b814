"""What a PostgreSQL server leaves behind when it is killed: lock files, and for a moment its backends."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from promptstore.local.errors import LocalError

_BACKENDS_TIMEOUT_S = 15.0


def forget_dead_server(data: Path, *, socket_directory: Path) -> None:
    """Remove the lock files of a server that is gone. Raises `LocalError` if one still runs on `data`.

    The server itself only asks whether the recorded number is in use. After a restart of the container it may be
    something else's, and a killed server that nobody has reaped yet has it too: both would keep us from starting.
    """
    server, backends = _processes(data)
    if server is not None:
        raise LocalError(f"a PostgreSQL server (process {server}) already runs on {data}; stop it first")
    deadline = time.monotonic() + _BACKENDS_TIMEOUT_S
    while backends and time.monotonic() < deadline:
        # They notice the death of their server, and hold its shared memory until they have.
        time.sleep(0.05)
        _, backends = _processes(data)
    for lock_file in (data / "postmaster.pid", *socket_directory.glob(".s.PGSQL.*")):
        lock_file.unlink(missing_ok=True)


def _processes(data: Path) -> tuple[int | None, list[int]]:
    """The living server on `data`, and other processes that work in it: its backends stay in that directory."""
    server, others = None, []
    for process in psutil.process_iter():
        try:
            # A dead process that nobody has reaped has no directory any more.
            if Path(process.cwd()) != data.resolve():
                continue
            if str(data) in process.cmdline():
                server = process.pid
            else:
                others.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return server, others
