"""Restores from a backup, as the log itself remembers them: one event per project, under one id for the restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promptstore.core.models import AuditEvent

ACTION = "system.restored"


@dataclass(frozen=True)
class Restore:
    """A restore: when it happened, and up to which sequence number its backup reached.

    `backup_sequence` is 0 for a backup without sealed events. What the former database held beyond it is not in this log.
    """

    id: str
    at: datetime
    backup_made_at: str
    backup_sequence: int

    def __str__(self) -> str:
        return (
            f"restored at {self.at.isoformat(timespec='seconds')} from the backup of {self.backup_made_at}, "
            f"which ended at sequence {self.backup_sequence}"
        )


def restores() -> list[Restore]:
    """Every restore that this log went through, oldest first."""
    found: dict[str, Restore] = {}
    for at, after in AuditEvent.objects.filter(action=ACTION).order_by("id").values_list("at", "after"):
        restore = _restore(at, after or {})
        found.setdefault(restore.id, restore)
    return list(found.values())


def why_missing(sequence: int) -> str:
    """Why a checkpoint that somebody kept at `sequence` may be absent, as a sentence; empty when no restore explains it.

    Only a restore from a backup that ended before the checkpoint can have lost it.
    """
    cutting = [restore for restore in restores() if restore.backup_sequence < sequence]
    if not cutting:
        return ""
    events = sequence - min(restore.backup_sequence for restore in cutting)
    return (
        f"the log was {'; and '.join(map(str, cutting))}: up to {events} events before the checkpoint you kept are lost. "
        "If you kept the checkpoint after that restore, the log was changed"
    )


def _restore(at: datetime, after: Mapping[str, Any]) -> Restore:
    backup = after.get("backup") or {}
    return Restore(
        id=str(after.get("restore", "")),
        at=at,
        backup_made_at=str(backup.get("made_at", "an unknown time")),
        backup_sequence=int(backup.get("sequence", 0)),
    )
