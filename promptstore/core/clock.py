"""The one source of time for decisions.

Services, controllers and gates call `now()`; nothing reads the database's or the machine's clock on its own. Tests and
simulations install a `ManualClock`. Sessions, signatures and TLS keep the wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""


class SystemClock:
    """Wall-clock time that never steps back within the process."""

    def __init__(self) -> None:
        self._latest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        # A clock set back by the operator must not shorten or repeat a bake window.
        self._latest = max(self._latest, datetime.now(tz=UTC))  # noqa: TID251 - this is the clock
        return self._latest


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> datetime:
        """Move forward by a `timedelta(**delta)` and return the new time."""
        self._now += timedelta(**delta)
        return self._now


_clock: Clock = SystemClock()


def now() -> datetime:
    """The present moment for decisions, timezone-aware, in UTC."""
    return _clock.now()


@contextmanager
def use(clock: Clock) -> Iterator[Clock]:
    """Install `clock` for this process until the block ends."""
    global _clock
    previous, _clock = _clock, clock
    try:
        yield clock
    finally:
        _clock = previous
