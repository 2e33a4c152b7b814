"""What the person in front of the terminal sees while the instance starts and stops."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TextIO


class Progress:
    """One line per step. On a terminal a line appears when the step begins and gets its result at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def line(self, text: str = "") -> None:
        """Print a line; a terminal that is gone is no reason to stop."""
        self._write(f"{text}\n")

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time what happens inside; on failure the line says so and the error goes on."""
        began = time.monotonic()
        if self._live:
            self._write(f"  … {title}")
        try:
            yield
        except BaseException:
            self._finish("✗", title, began)
            raise
        self._finish("✓", title, began)

    def _finish(self, mark: str, title: str, began: float) -> None:
        start = "\r\033[K" if self._live else ""
        self._write(f"{start}  {mark} {title:<28} {time.monotonic() - began:5.1f} s\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(text.encode(encoding, errors="replace").decode(encoding))
            self._stream.flush()
