from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from promptstore.core.models import ApiKey

ENDED_SHOWN = 20


@dataclass(frozen=True)
class Keys:
    """Keys that were not revoked, and the latest ones that were."""

    current: list[ApiKey]
    revoked: list[ApiKey]


def sorted_out(rows: Iterable[ApiKey]) -> Keys:
    """An expired key stays among the current ones until somebody revokes it: its user may be wondering why it fails."""
    found = list(rows)
    revoked = [row for row in found if row.revoked_at is not None]
    return Keys(
        current=[row for row in found if row.revoked_at is None],
        revoked=sorted(revoked, key=lambda row: row.revoked_at or row.created_at, reverse=True)[:ENDED_SHOWN],
    )
