"""Living and dying with the `make` that started us."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PASSED_ON_BY_NOBODY = (signal.SIGINT, signal.SIGHUP)


def stop_with_parent() -> None:
    """Take SIGTERM when the parent dies, so that killing `make` leaves no instance that nobody sees."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


class Parent:
    """Notices an interrupt that reached only the parent.

    Ctrl-C in a terminal reaches the whole process group. Sent to `make` alone it does not: make passes SIGTERM
    on, but on SIGINT and SIGHUP it stays inside its signal handler, where the signal is blocked, and waits for
    its children. proc(5) shows what a process blocks.
    """

    def __init__(self) -> None:
        self._status = Path(f"/proc/{os.getppid()}/status")
        self._blocked_at_start = self._blocked()

    def was_interrupted(self) -> bool:
        """Whether the parent handles SIGINT or SIGHUP now; never without /proc."""
        return bool(self._blocked() & ~self._blocked_at_start)

    def _blocked(self) -> int:
        try:
            text = self._status.read_text(encoding="ascii", errors="replace")
        except OSError:
            return 0
        mask = int(text.partition("SigBlk:")[2].split(maxsplit=1)[0], 16)
        return mask & sum(1 << (number - 1) for number in _PASSED_ON_BY_NOBODY)
