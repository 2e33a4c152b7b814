"""What processes use, read from proc(5)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

_KIB = 1_024  # proc says kB and means this


@dataclass(frozen=True, kw_only=True)
class Memory:
    """In bytes. `private` is what nobody shares (USS): what would be free if the processes ended. `resident` counts pages that
    processes share once for each."""

    resident: int
    private: int


def memory_of(pid: int) -> Memory:
    """Of a process and all of its descendants. Raises `ProcessLookupError` or `FileNotFoundError` if it has ended."""
    resident, private = _one(pid)
    for child in family(pid)[1:]:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # it ended while it was looked at
            own = _one(child)
            resident, private = resident + own[0], private + own[1]
    return Memory(resident=resident, private=private)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for one in found:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def _one(pid: int) -> tuple[int, int]:
    resident = private = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "Rss":
            resident += _KIB * int(rest.split()[0])
        elif name in {"Private_Clean", "Private_Dirty"}:
            private += _KIB * int(rest.split()[0])
    return resident, private
