"""Places at which a process may be told to kill itself, so that tests can prove what a crash there leaves behind. No Django.

`PROMPTSTORE_KILL_POINT=name` or `name:nth` arms one point when this module is imported; the process then sends itself SIGKILL
the nth time it gets there. It is obeyed only with `PROMPTSTORE_TESTING=1`: without, the process refuses to start.
docs/crash-points.md says what may be true after each.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class KillPoint(StrEnum):
    """Every boundary at which a process may die with something half done."""

    CONTROLLER_AFTER_START = "controller.after_start"
    CONTROLLER_BEFORE_MEASURED = "controller.before_measured"
    CONTROLLER_AFTER_MEASURED = "controller.after_measured"
    CONTROLLER_BEFORE_COMMIT = "controller.before_commit"
    CONTROLLER_AFTER_COMMIT = "controller.after_commit"
    OUTBOX_AFTER_COMMIT = "outbox.after_commit"
    OUTBOX_BEFORE_SEND = "outbox.before_send"
    OUTBOX_AFTER_SEND = "outbox.after_send"
    OUTBOX_AFTER_CLAIM = "outbox.after_claim"
    OUTBOX_AFTER_HANDLER = "outbox.after_handler"
    OUTBOX_AFTER_DONE = "outbox.after_done"
    AUDIT_BEFORE_COMMIT = "audit.before_commit"
    AUDIT_AFTER_COMMIT = "audit.after_commit"
    PUBLISHER_BEFORE_COMMIT = "publisher.before_commit"
    PUBLISHER_AFTER_COMMIT = "publisher.after_commit"
    DELIVERY_AFTER_CLAIM = "delivery.after_claim"
    DELIVERY_AFTER_SEND = "delivery.after_send"
    DELIVERY_AFTER_RECORD = "delivery.after_record"
    SPOOL_AFTER_RECOVERY = "spool.after_recovery"
    SPOOL_BEFORE_WRITE = "spool.before_write"
    SPOOL_AFTER_WRITE = "spool.after_write"
    SPOOL_BEFORE_ROTATION = "spool.before_rotation"
    SPOOL_AFTER_ROTATION = "spool.after_rotation"
    SPOOL_BEFORE_POSITION = "spool.before_position"
    SPOOL_AFTER_POSITION = "spool.after_position"
    SPOOL_AFTER_REMOVAL = "spool.after_removal"
    DRAIN_BEFORE_COMMIT = "drain.before_commit"
    DRAIN_AFTER_COMMIT = "drain.after_commit"
    DRAIN_AFTER_REJECTION = "drain.after_rejection"
    DISK_BEFORE_RENAME = "disk.before_rename"
    DISK_AFTER_DOCUMENTS = "disk.after_documents"
    DISK_AFTER_MANIFEST = "disk.after_manifest"


@dataclass(frozen=True, slots=True)
class Armed:
    """One point and the pass, counted from 1, at which it kills."""

    point: KillPoint
    nth: int
    # Counting is one step of the interpreter, so that threads need no lock.
    _passes: itertools.count[int] = field(default_factory=lambda: itertools.count(1), compare=False)

    def due(self, point: KillPoint) -> bool:
        """Whether the process has now come to `point` for the nth time."""
        return point is self.point and next(self._passes) == self.nth


def read(environ: Mapping[str, str] = os.environ) -> Armed | None:
    """What the environment arms; None without PROMPTSTORE_KILL_POINT. Raises `ValueError` that says what is wrong with it."""
    wanted = environ.get("PROMPTSTORE_KILL_POINT", "")
    if not wanted:
        return None
    if environ.get("PROMPTSTORE_TESTING") != "1":
        raise ValueError(
            "PROMPTSTORE_KILL_POINT: it kills this process, for tests alone; unset it, or set PROMPTSTORE_TESTING=1"
        )
    name, _, nth = wanted.partition(":")
    nth = nth or "1"
    if name not in set(KillPoint):
        raise ValueError(f"PROMPTSTORE_KILL_POINT: {name!r} is none of {', '.join(KillPoint)}")
    if not nth.isdecimal() or int(nth) < 1:
        raise ValueError(f"PROMPTSTORE_KILL_POINT: expected name:nth with nth from 1, not {wanted!r}")
    return Armed(KillPoint(name), int(nth))


_armed = read()


def reach(point: KillPoint) -> None:
    """Die here if this point is armed; otherwise nothing, at the price of one comparison."""
    if _armed is not None and _armed.due(point):
        os.kill(os.getpid(), signal.SIGKILL)
