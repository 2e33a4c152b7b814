"""When a message is tried again: the Standard Webhooks specification's example schedule, about 76 hours in all."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

# Before the second attempt, the third, and so on.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS: Final = len(WAITS) + 1


def wait_before_next(attempts: int, *, retry_after_s: float | None = None) -> timedelta | None:
    """How long to wait after attempt number `attempts`; `None` when that was the last one.

    A receiver that says how long it wants to be left alone is left alone at least that long.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return max(WAITS[attempts - 1], timedelta(seconds=retry_after_s or 0.0))
