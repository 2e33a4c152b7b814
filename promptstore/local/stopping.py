"""Signals that ask the supervisor to stop, and waiting that they interrupt."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from types import FrameType

from promptstore.local.errors import StopRequested
from promptstore.local.parent import Parent


class StopSignals:
    """Installed once, in the main thread. A second signal asks for more haste."""

    def __init__(self, *, parent: Parent | None = None) -> None:
        self.count = 0
        self._parent = parent
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        # The interpreter writes a byte here on every signal, a child's exit included: waiting ends at once.
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or sooner if a signal arrives."""
        if select.select([self._reader], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._reader, 4096)
        if self._parent and self._parent.was_interrupted():
            self.count = max(self.count, 1)

    def pause(self, seconds: float) -> None:
        """Wait; raise `StopRequested` if that, or something before it, asked us to stop."""
        self.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise `StopRequested` if it was asked for."""
        if self.count:
            raise StopRequested

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
