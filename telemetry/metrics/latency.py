"""Latency percentiles, from merged log-bucket histograms (within 2 %, see `stats.histogram`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

from stats.histogram import LogHistogram
from telemetry.metrics.base import Category, Direction, Estimate, Exhibit, Kind, Metric, Minute, Unit

_Z95 = 1.959964


@dataclass(frozen=True, kw_only=True)
class LatencyPercentile(Metric):
    """The latency that a share `q` of all calls, failed ones too, stays below.

    The interval is the distribution-free one from order statistics, with the normal approximation of the ranks:
    the quantiles at q ± z·√(q(1-q)/n) (W. J. Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section
    3.2). Where a rank falls outside of the sample that limit does not exist, and there is no interval.
    """

    q: float
    unit: Unit = Unit.MS
    kind: Kind = Kind.PERCENTILE
    direction: Direction = Direction.LOWER_IS_BETTER
    category: Category = Category.LATENCY
    exhibit: Exhibit = field(default_factory=lambda: Exhibit(order_by=("-latency_ms",)))

    def measure(self, minutes: Sequence[Minute]) -> Estimate | None:
        counts: Counter[str] = Counter()
        for minute in minutes:
            counts.update(minute.latency_histogram)
        histogram = LogHistogram.from_json(counts)
        value = histogram.quantile(self.q)
        if value is None:
            return None
        n = histogram.count
        spread = _Z95 * sqrt(self.q * (1 - self.q) / n)
        low, high = self.q - spread, self.q + spread
        if low < 0 or high > 1:
            return Estimate(value=value, n=n)
        return Estimate(value=value, n=n, lower=histogram.quantile(low), upper=histogram.quantile(high))


P50 = LatencyPercentile(name="p50_latency_ms", title="Median latency", q=0.50)
P95 = LatencyPercentile(name="p95_latency_ms", title="95th percentile latency", q=0.95)
P99 = LatencyPercentile(name="p99_latency_ms", title="99th percentile latency", q=0.99)
