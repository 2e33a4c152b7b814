"""Rate limits of a node: one token bucket per feature of an environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from promptstore.core.errors import DomainError


class RateLimitedError(DomainError):
    """More calls per second than the serving config allows on this node."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """Buckets hold one second's worth of calls, at least one.

    They use monotonic time: it paces, it decides no release.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, key: tuple[str, str], rate_per_s: int) -> None:
        """Use one token; raises `RateLimitedError`. A rate of 0 means no limit."""
        if rate_per_s <= 0:
            return
        now = self._now()
        bucket = self._buckets.setdefault(key, _Bucket(float(rate_per_s), now))
        bucket.tokens = min(float(rate_per_s), bucket.tokens + (now - bucket.filled_at) * rate_per_s)
        bucket.filled_at = now
        if bucket.tokens < 1.0:
            wait_s = (1.0 - bucket.tokens) / rate_per_s
            raise RateLimitedError(
                f"This feature takes {rate_per_s} calls a second on this node.",
                extra={"retry_after_s": wait_s},
            )
        bucket.tokens -= 1.0
