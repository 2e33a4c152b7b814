"""One supervisor per home."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from promptstore.local.errors import LocalError

STOPPING = "stopping"
_GRACE_S = 2.0
_STOPPING_S = 40.0


class HomeLock:
    """An advisory lock that the kernel drops when its holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(
        self, *, waiting: Callable[[], None] = lambda: None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Take the lock, or wait for a previous run that is on its way out (calls `waiting` once).

        Raises `LocalError` when another supervisor holds it and stays, and whatever `pause` raises.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        began, told = time.monotonic(), False
        while not _try_lock(descriptor):
            holder = self._path.read_text(encoding="utf-8").split() or ["unknown"]
            waited = time.monotonic() - began
            stopping = STOPPING in holder
            # A run whose `make` was killed learns of it a moment later than we do: hence the short grace.
            if waited > (_STOPPING_S if stopping else _GRACE_S):
                os.close(descriptor)
                raise LocalError(
                    f"{self._path.parent.parent} is in use by a running instance (process {holder[0]}). "
                    "Stop it with Ctrl-C there, or run a second copy with another PROMPTSTORE_HOME, PORT "
                    "and SERVE_PORT."
                )
            if stopping and not told:
                told = True
                waiting()
            pause(0.1)
        self._descriptor = descriptor
        self.write(str(os.getpid()))

    def write(self, text: str) -> None:
        """Say who holds the lock and what it is doing."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def stopping(self) -> None:
        """Tell the next start that it pays to wait."""
        self.write(f"{os.getpid()} {STOPPING}")

    def release(self) -> None:
        """Give the home back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
