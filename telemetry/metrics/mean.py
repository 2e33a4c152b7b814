"""Means per sample, requests unless told otherwise. Rollups keep sums and no squares, so a mean has no interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telemetry.metrics.base import Estimate, Kind, Metric, Minute


@dataclass(frozen=True, kw_only=True)
class Mean(Metric):
    """The sum of `amount` over all samples, times `per`, by sample."""

    amount: Callable[[Minute], int]
    samples: Callable[[Minute], int] = lambda minute: minute.count
    per: float = 1
    kind: Kind = Kind.MEAN

    def measure(self, minutes: Sequence[Minute]) -> Estimate | None:
        n = sum(self.samples(minute) for minute in minutes)
        if not n:
            return None
        return Estimate(value=sum(self.amount(minute) for minute in minutes) * self.per / n, n=n)
