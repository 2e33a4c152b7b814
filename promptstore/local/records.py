"""Which processes are ours: records that outlive a killed supervisor.

A pid alone proves nothing, it is used again. A record therefore holds the pid, the boot and the kernel's
start tick of the process, which together never repeat, and a random token that its descendants inherit in
their environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from promptstore.local.home import write_private

TOKEN_VARIABLE = "PROMPTSTORE_CHILD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class ProcessRecord:
    """One started child, leader of a process group of its own."""

    name: str
    pid: int
    started: str
    token: str
    stop_signal: int

    def write(self, directory: Path) -> None:
        """Keep the record as `<name>.pid`."""
        write_private(directory / f"{self.name}.pid", json.dumps(asdict(self)))

    def leader_is_alive(self) -> bool:
        """Whether the recorded process itself runs: the same pid, boot and start."""
        return started_at(self.pid) == self.started

    def members(self) -> list[int]:
        """Every living process that is provably part of this child: its leader, and who carries its token."""
        leader = [self.pid] if self.leader_is_alive() else []
        return leader + [pid for pid in psutil.pids() if pid != self.pid and self._carries_token(pid)]

    def _carries_token(self, pid: int) -> bool:
        try:
            return (
                os.getpgid(pid) == self.pid
                and psutil.Process(pid).environ().get(TOKEN_VARIABLE) == self.token
            )
        except (OSError, psutil.Error):
            return False  # gone meanwhile, or another user's: not ours


def started_at(pid: int) -> str | None:
    """When a living process started, in a form that never repeats; `None` if there is none (or a zombie)."""
    if Path("/proc/self/stat").exists():
        try:
            # proc(5): the command in parentheses may hold anything; field 3 is the state, 22 the start tick.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        return None if fields[0] in {b"Z", b"X"} else f"{boot}:{int(fields[19])}"
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def read_records(directory: Path) -> list[ProcessRecord]:
    """All records; a file that is not one is ignored, since nothing can be proved with it."""
    records = []
    for path in sorted(directory.glob("*.pid")):
        with contextlib.suppress(ValueError, TypeError, OSError):
            records.append(ProcessRecord(**json.loads(path.read_text(encoding="utf-8"))))
    return records


def stop_leftovers(directory: Path, *, timeout_s: float = 10.0) -> list[str]:
    """Stop what an earlier supervisor left running and forget its records; returns the names of what ran."""
    records = read_records(directory)
    left = [(record, members) for record in records if (members := record.members())]
    for record, members in left:
        # The leader stops its own; without one, each is told.
        _send(members[:1] if members[0] == record.pid else members, record.stop_signal)
    deadline = time.monotonic() + timeout_s
    while any(record.members() for record, _ in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    for record, _ in left:
        _send(record.members(), signal.SIGKILL)
    while any(record.members() for record, _ in left) and time.monotonic() < deadline + 5:
        time.sleep(0.05)
    for path in directory.glob("*.pid"):
        path.unlink(missing_ok=True)
    return [record.name for record, _ in left]


def _send(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
