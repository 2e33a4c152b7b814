"""A bounded spool on disk between the data plane and the database.

Appending is one `write` to the page cache: it survives `kill -9`, and `sync()` makes it survive a power cut.
When the spool is full, the new event is dropped and counted by reason; what was accepted is never
overwritten. One process owns a directory (flock). The reader delivers at least once: it advances the position
only after the receiver has committed.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from promptstore.core.killpoints import KillPoint, reach
from telemetry import segments
from telemetry.segments import Position


class DropReason(StrEnum):
    """Why an event was not accepted."""

    FULL = "full"
    TOO_LARGE = "too_large"
    DISK_ERROR = "disk_error"


class LossReason(StrEnum):
    """Why something that was on disk could not be read back."""

    TORN = "torn"
    CORRUPT = "corrupt"


class SpoolLockedError(RuntimeError):
    """Another process owns this spool directory."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order they were appended, and the position to acknowledge once they are safe elsewhere."""

    events: Sequence[bytes]
    end: Position


class Spool:
    """See the module. Not reentrant across processes.

    `append`, `sync`, `read` and `acknowledge` may come from any thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int = 256_000_000,
        segment_bytes: int = 8_000_000,
        max_event_bytes: int = 400_000,
    ) -> None:
        """Open or create; raises `SpoolLockedError`.

        A line that a crash cut off is removed and counted as lost.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._max_event_bytes = max_event_bytes
        self._mutex = threading.Lock()
        self._sync_mutex = threading.Lock()
        self._counted_until = Position(0, 0)
        self.accepted = 0
        self.dropped: Counter[DropReason] = Counter()
        self.lost: Counter[LossReason] = Counter()
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise SpoolLockedError(f"another process is using the spool {directory}") from None
        self._recover()

    def _recover(self) -> None:
        present = segments.numbers(self._directory)
        if present and segments.cut_torn_line(segments.path_of(self._directory, present[-1])):
            self.lost[LossReason.TORN] += 1
        self._position = segments.read_position(self._directory)
        for number in [number for number in present if number < self._position.segment]:
            segments.path_of(self._directory, number).unlink()
        self._bytes = segments.total_bytes(self._directory)
        reach(KillPoint.SPOOL_AFTER_RECOVERY)
        # A fresh segment for each run: a position saved beyond the end of a cut segment can never point into
        # new events.
        self._file = self._open_segment(max([0, *present, self._position.segment]) + 1)

    def _open_segment(self, number: int) -> int:
        path = segments.path_of(self._directory, number)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            segments.sync_directory(self._directory)
        except OSError:
            os.close(descriptor)
            raise
        self._segment = number
        self._segment_size = 0
        self._unsynced = True
        return descriptor

    def _next_segment(self) -> None:
        previous, self._file = self._file, self._open_segment(self._segment + 1)
        os.close(previous)

    @property
    def depth_bytes(self) -> int:
        """Bytes on disk, delivered or not."""
        return self._bytes

    def append(self, event: dict[str, Any] | bytes) -> DropReason | None:
        """Accept an event (an object, or its JSON on one line) and return None, or why it was dropped."""
        line = (event if isinstance(event, bytes) else orjson.dumps(event)) + b"\n"
        with self._mutex:
            reason = self._refusal(len(line)) or self._write(line)
            if reason is None:
                self.accepted += 1
            else:
                self.dropped[reason] += 1
        return reason

    def _refusal(self, size: int) -> DropReason | None:
        if size > self._max_event_bytes:
            return DropReason.TOO_LARGE
        return DropReason.FULL if self._bytes + size > self._max_bytes else None

    def _write(self, line: bytes) -> DropReason | None:
        try:
            if self._segment_size and self._segment_size + len(line) > self._segment_bytes:
                os.fsync(self._file)
                reach(KillPoint.SPOOL_BEFORE_ROTATION)
                self._next_segment()
                reach(KillPoint.SPOOL_AFTER_ROTATION)
            reach(KillPoint.SPOOL_BEFORE_WRITE)
            written = os.write(self._file, line)
            reach(KillPoint.SPOOL_AFTER_WRITE)
            if written != len(line):  # the disk filled up in the middle: take the piece back
                os.ftruncate(self._file, self._segment_size)
                return DropReason.DISK_ERROR
        except OSError:
            return DropReason.DISK_ERROR
        self._segment_size += len(line)
        self._bytes += len(line)
        self._unsynced = True
        return None

    def sync(self) -> None:
        """Return once everything appended before the call is on stable storage.

        Raises `OSError` when it cannot be.
        """
        with self._sync_mutex:  # a second caller waits for the first, whose fsync may cover it
            with self._mutex:
                if not self._unsynced:
                    return
                descriptor = os.dup(self._file)
                self._unsynced = False
            try:
                os.fsync(descriptor)  # outside of the append lock: appending goes on while the disk works
            except OSError:
                self._unsynced = True
                raise
            finally:
                os.close(descriptor)

    def read(self, *, max_events: int = 1_000, max_bytes: int = 4_000_000) -> Batch | None:
        """The next undelivered events, or None when there are none.

        Lines that are no JSON object are skipped and counted.

        Reading again without `acknowledge` gives the same events again.
        """
        events: list[bytes] = []
        size = corrupt = 0
        end = start = self._position
        for number in segments.numbers(self._directory):
            if number < start.segment:
                continue
            offset = start.offset if number == start.segment else 0
            end = Position(number, offset)
            for line, after in segments.lines_from(segments.path_of(self._directory, number), offset):
                end = Position(number, after)
                if _is_object(line):
                    events.append(line)
                    size += len(line)
                else:
                    corrupt += 1
                if len(events) >= max_events or size >= max_bytes:
                    return self._batch(events, end, corrupt)
        return self._batch(events, end, corrupt) if end != start else None

    def _batch(self, events: list[bytes], end: Position, corrupt: int) -> Batch:
        if corrupt and end > self._counted_until:
            self.lost[LossReason.CORRUPT] += corrupt
            self._counted_until = end
        return Batch(events, end)

    def acknowledge(self, batch: Batch) -> None:
        """The batch is safe elsewhere: never give it again, and free the segments that are done.

        Where there is no room for the position, it is kept in memory alone: the spool itself may be what fills the disk, so
        freeing must not wait for it. A process that dies before the next one is written gives the batch again.
        """
        reach(KillPoint.SPOOL_BEFORE_POSITION)
        with suppress(OSError):
            segments.write_position(self._directory, batch.end)
        reach(KillPoint.SPOOL_AFTER_POSITION)
        with self._mutex:
            self._position = batch.end
            for number in segments.numbers(self._directory):
                if number < batch.end.segment and number != self._segment:
                    self._remove(number)
            if batch.end == Position(self._segment, self._segment_size) and self._segment_size:
                # All is delivered: start a new segment, so that an idle node keeps nothing.
                done = self._segment
                self._next_segment()
                self._remove(done)

    def _remove(self, number: int) -> None:
        path = segments.path_of(self._directory, number)
        self._bytes -= path.stat().st_size
        path.unlink()
        reach(KillPoint.SPOOL_AFTER_REMOVAL)

    def close(self) -> None:
        """Sync and give the directory free."""
        self.sync()
        os.close(self._file)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
