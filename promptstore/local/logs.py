"""Log files of the children."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

KEPT = 3
LIMIT_BYTES = 20 * 1024 * 1024
_TAIL_BYTES = 32 * 1024


def rotate(path: Path) -> None:
    """Start a new file: `name.log` becomes `name.log.1`, and so on up to `KEPT`."""
    if not path.exists() or path.stat().st_size == 0:
        return
    for number in range(KEPT, 1, -1):
        older = path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))
    path.replace(path.with_name(f"{path.name}.1"))


def bound(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
    """Copy a file that has grown too long to `name.log.1` and empty it.

    The child keeps its descriptor: it appends, so it goes on at the new end. Lines written between copy and
    truncation are lost, which a log may do and a decision may not.
    """
    if path.exists() and path.stat().st_size > limit_bytes:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


def tail(path: Path, *, lines: int = 20) -> str:
    """The last lines, indented for display; empty if there are none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
