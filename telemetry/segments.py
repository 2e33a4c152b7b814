"""The files of a spool.

Numbered segments of JSON lines, and the durable position up to which they were delivered.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SUFFIX = ".jsonl"
_BLOCK = 65_536


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A byte offset inside a numbered segment."""

    segment: int
    offset: int


def path_of(directory: Path, segment: int) -> Path:
    return directory / f"{segment:012d}{_SUFFIX}"


def numbers(directory: Path) -> list[int]:
    """The segments present, in order."""
    return sorted(
        int(path.stem) for path in directory.iterdir() if path.suffix == _SUFFIX and path.stem.isdecimal()
    )


def total_bytes(directory: Path) -> int:
    return sum(path_of(directory, number).stat().st_size for number in numbers(directory))


def cut_torn_line(path: Path) -> bool:
    """Remove what follows the last newline.

    A line whose write the process did not survive. True if there was any.
    """
    with path.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end == size:
            return False
        file.truncate(end)
        os.fsync(file.fileno())
        return True


def lines_from(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Complete lines from `offset` on, without their newline, each with the offset after it."""
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line[:-1], offset


def read_position(directory: Path) -> Position:
    """The durable position.

    The beginning when there is none or it is unreadable (delivering twice is harmless).
    """
    try:
        segment, offset = (directory / "position").read_text(encoding="ascii").split()
        return Position(int(segment), int(offset))
    except (FileNotFoundError, ValueError):
        return Position(0, 0)


def write_position(directory: Path, position: Position) -> None:
    """Replace the durable position atomically."""
    temporary = directory / "position.new"
    with temporary.open("w", encoding="ascii") as file:
        file.write(f"{position.segment} {position.offset}\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / "position")


def sync_directory(directory: Path) -> None:
    """Make created, renamed and removed names durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
