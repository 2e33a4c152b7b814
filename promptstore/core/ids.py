"""Identifiers: UUID version 7 (RFC 9562 §5.7), so that ids sort by creation and pages need no second key."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, 12 bits of sub-millisecond order, 62 random bits.

    Ids made by one process are strictly increasing (RFC 9562 §6.2, method 3), also when the clock steps back.
    """
    global _last
    ticks = (time.time_ns() << 12) // 1_000_000  # milliseconds with a 12-bit fraction
    with _lock:
        _last = ticks = max(ticks, _last + 1)
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random)
