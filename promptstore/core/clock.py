"""The one source of time for decisions.

Services, controllers and gates call `now()`; nothing reads the database's or the machine's clock on its own. Tests and
simulations install a `ManualClock`. Sessions, signatures and TLS keep the wall clock.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

# Linux counts suspension in this one only: a machine that slept has not jumped.
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""

    def steady_s(self) -> float:
        """Seconds since a fixed moment, which nobody can set: for durations within one process."""


def _wall() -> datetime:
    return datetime.now(tz=UTC)  # noqa: TID251 - this is the clock


def _steady_s() -> float:
    return time.clock_gettime(_STEADY_CLOCK)


class SystemClock:
    """Wall-clock time that never steps back within the process.

    After the operator set the machine's clock back, it goes on at half speed until the wall clock has caught up: a bake window
    is neither shortened nor repeated, and a rollback still goes down.
    """

    def __init__(
        self, *, wall: Callable[[], datetime] = _wall, steady_s: Callable[[], float] = _steady_s
    ) -> None:
        self._wall = wall
        self._steady_s = steady_s
        self._mutex = threading.Lock()
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._read_at_s = steady_s()

    def now(self) -> datetime:
        with self._mutex:
            read_at_s, wall = self._steady_s(), self._wall()
            slowly = self._latest + timedelta(seconds=max(0.0, read_at_s - self._read_at_s) / 2)
            self._read_at_s = read_at_s
            self._latest = max(wall, slowly)
            return self._latest

    def steady_s(self) -> float:
        return self._steady_s()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._steady = timedelta(0)

    def now(self) -> datetime:
        return self._now

    def steady_s(self) -> float:
        return self._steady.total_seconds()

    def advance(self, **delta: float) -> datetime:
        """Let time pass: move forward by a `timedelta(**delta)` and return the new time."""
        self._steady += timedelta(**delta)
        return self.jump(**delta)

    def jump(self, **delta: float) -> datetime:
        """Set the clock by a `timedelta(**delta)`, back or forth, while no time passes; returns the new time."""
        self._now += timedelta(**delta)
        return self._now


class SteppedClock:
    """The clock of a replay: the system's, and an offset in a file that all processes of one instance share.

    Time passes with a step: durations grow by it too. Raises `OSError` where the file cannot be mapped, `ValueError` where it is
    none that `create` made.
    """

    # Microseconds in one aligned word, which is read and written whole.
    _OFFSET = struct.Struct("=q")

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            if os.fstat(file.fileno()).st_size != self._OFFSET.size:
                raise ValueError(f"{path} holds no offset of a clock")
            self._shared = mmap.mmap(file.fileno(), self._OFFSET.size)
        self._system = SystemClock()

    @classmethod
    def create(cls, path: Path) -> SteppedClock:
        """A clock that shows the system's time until it is stepped; raises `FileExistsError` where there is one."""
        with path.open("xb") as file:
            file.write(cls._OFFSET.pack(0))
        return cls(path)

    @property
    def offset(self) -> timedelta:
        """How far it is ahead of the system's clock."""
        return timedelta(microseconds=self._OFFSET.unpack(self._shared[:])[0])

    def now(self) -> datetime:
        return self._system.now() + self.offset

    def steady_s(self) -> float:
        return self._system.steady_s() + self.offset.total_seconds()

    def step(self, **delta: float) -> datetime:
        """Let a `timedelta(**delta)` pass for every process that shares the file; returns the new time. One process alone steps."""
        passed = timedelta(**delta)
        if passed < timedelta(0):
            raise ValueError("a stepped clock goes forwards only")
        self._shared[:] = self._OFFSET.pack((self.offset + passed) // timedelta(microseconds=1))
        return self.now()


# Set by a replay for the processes that it starts; an instance that people share has no such clock.
STEPPED_CLOCK_VARIABLE = "PROMPTSTORE_STEPPED_CLOCK"

_stepped_clock = os.environ.get(STEPPED_CLOCK_VARIABLE)
_clock: Clock = SteppedClock(Path(_stepped_clock)) if _stepped_clock else SystemClock()


class JumpWatch:
    """Notices, from one look to the next, that the clock was set forwards by more than `tolerance_s`."""

    def __init__(self, *, tolerance_s: float = 1.0) -> None:
        self._tolerance = timedelta(seconds=tolerance_s)
        self._before: tuple[Clock, datetime, float] | None = None

    @contextmanager
    def look(self) -> Iterator[datetime | None]:
        """None while time only passed. After a jump, the moment of the last look as the clock would tell it now: a stamp from
        before it was written before the jump, and its age says nothing.

        A block that raises did not look: the next one is told again.
        """
        clock = _clock
        moment, steady = clock.now(), clock.steady_s()
        jumped = None
        if self._before is not None and self._before[0] is clock:
            passed = timedelta(seconds=steady - self._before[2])
            if moment - self._before[1] - passed > self._tolerance:
                jumped = moment - passed
        yield jumped
        self._before = (clock, moment, steady)


def now() -> datetime:
    """The present moment for decisions, timezone-aware, in UTC."""
    return _clock.now()


def stepped_by() -> timedelta | None:
    """How far this process's clock was stepped ahead of the system's; None where it cannot be stepped."""
    return _clock.offset if isinstance(_clock, SteppedClock) else None


def steady_s() -> float:
    """Seconds that passed since a fixed moment, whatever was done to the clock; comparable within this process alone."""
    return _clock.steady_s()


@contextmanager
def use(clock: Clock) -> Iterator[Clock]:
    """Install `clock` for this process until the block ends."""
    global _clock
    previous, _clock = _clock, clock
    try:
        yield clock
    finally:
        _clock = previous
