"""One metric of one arm over a trailing window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.metrics.catalogue import metric_by_name
from telemetry.metrics.series import BUCKET, MinuteSeries


@dataclass(frozen=True, slots=True)
class MetricWindow:
    """A measured window: `value` in the metric's unit, its `n` samples and, where it has one, its 95 % interval.

    `covered_s` says how long the arm has been under measurement within the window: from the window's start, or
    from the arm's first call if that came later, until now.
    """

    value: float
    n: int
    lower: float | None
    upper: float | None
    covered_s: float


def window(series: MinuteSeries, metric: str, arm: str, seconds: int, now: datetime) -> MetricWindow | None:
    """`metric` on `arm` over the `seconds` before `now`, all releases of the arm together.

    Rollups are whole minutes: the minute in which the window begins counts as a whole, so that also a window
    shorter than a minute has data. `None` without a sample, or without a source for the metric. The series must
    reach back to the window's start. Raises `InvalidInput` for an unknown metric.
    """
    start = now - timedelta(seconds=seconds)
    minutes = [minute for minute in series.minutes_of(arm) if start - BUCKET < minute.minute <= now]
    estimate = metric_by_name(metric).measure(minutes)
    first = series.first_of(arm)
    if estimate is None or first is None:
        return None
    return MetricWindow(
        value=estimate.value,
        n=estimate.n,
        lower=estimate.lower,
        upper=estimate.upper,
        covered_s=(now - max(start, first)).total_seconds(),
    )
