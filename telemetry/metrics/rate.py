"""Shares of samples, with Wilson's interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stats.intervals import wilson
from telemetry.metrics.base import Estimate, Kind, Metric, Minute, Unit


@dataclass(frozen=True, kw_only=True)
class Rate(Metric):
    """`hits` of `samples`, both counted in each minute."""

    hits: Callable[[Minute], int]
    samples: Callable[[Minute], int]
    unit: Unit = Unit.RATIO
    kind: Kind = Kind.RATE

    def measure(self, minutes: Sequence[Minute]) -> Estimate | None:
        n = sum(self.samples(minute) for minute in minutes)
        if not n:
            return None
        interval = wilson(sum(self.hits(minute) for minute in minutes), n)
        return Estimate(value=interval.estimate, n=n, lower=interval.lower, upper=interval.upper)
