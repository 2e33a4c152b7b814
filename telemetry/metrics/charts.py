"""A metric's course as the console draws it (`docs/console-conventions.md`, Chart)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from telemetry.metrics.base import Metric, Minute, Unit
from telemetry.metrics.catalogue import metric_by_name
from telemetry.metrics.series import BUCKET, MinuteSeries

MAX_POINTS = 240
_CHART_UNITS = {Unit.RATIO: "percent", Unit.MS: "ms", Unit.USD_NANOS: "usd_nanos", Unit.COUNT: "count"}


def chart(series: MinuteSeries, metric: str, arms: Sequence[str], *, window_s: int = 60) -> dict[str, Any]:
    """`metric` of each arm over the series, at most 240 points.

    A point is measured on the minutes of the `window_s` that end with it, and on no less than those since the point
    before: with a rule's window it shows what the rule saw, and crosses the limit where the rule did.

    Each line has `values` and `counts` (samples behind each value; 0 where the value is `None`), and `low` and `high`
    where the metric has an interval. Raises `InvalidInput` for an unknown metric.
    """
    measured = metric_by_name(metric)
    starts = list(_starts(series))
    trailing = timedelta(seconds=window_s)
    return {
        "unit": _CHART_UNITS[measured.unit],
        "x": [int(start.timestamp()) for start in starts],
        "series": [_line(measured, series.minutes_of(arm), arm, starts, trailing) for arm in arms],
    }


def _starts(series: MinuteSeries) -> Iterator[datetime]:
    """The starts of the points, from the first minute that has data to the last; equally far apart."""
    known = [minute.minute for found in series.arms.values() for minute in found.minutes]
    if not known:
        return
    first, last = min(known), max(known)
    spacing = _spacing(first, last)
    while first <= last:
        yield first
        first += spacing


def _spacing(first: datetime, last: datetime) -> timedelta:
    minutes = (last - first) // BUCKET + 1
    return BUCKET * -(-minutes // MAX_POINTS)


def _line(
    metric: Metric, minutes: Sequence[Minute], arm: str, starts: Sequence[datetime], trailing: timedelta
) -> dict[str, Any]:
    spacing = starts[1] - starts[0] if len(starts) > 1 else BUCKET
    ordered = sorted(minutes, key=lambda minute: minute.minute)
    times = [minute.minute for minute in ordered]
    estimates = []
    for start in starts:
        end = start + spacing
        first = bisect_left(times, end - max(spacing, trailing))
        estimates.append(metric.measure(ordered[first : bisect_left(times, end)]))
    line: dict[str, Any] = {
        "key": arm,
        "label": arm.replace("_", " ").capitalize(),
        "values": [found.value if found else None for found in estimates],
        "counts": [found.n if found else 0 for found in estimates],
    }
    if any(found and found.lower is not None for found in estimates):
        line["low"] = [found.lower if found else None for found in estimates]
        line["high"] = [found.upper if found else None for found in estimates]
    return line
