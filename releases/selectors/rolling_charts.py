"""A condition's course: at each minute the value of its trailing window, which is what the rule compares with its limit.

Single minutes of a small canary scatter so widely that their intervals say nothing; the trailing window crosses the limit
exactly when the rule does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from releases.routing import Arm
from telemetry.metrics import MinuteSeries, metric_by_name
from telemetry.metrics.base import Minute, Unit
from telemetry.metrics.catalogue import CATALOGUE
from telemetry.metrics.series import BUCKET

MAX_POINTS = 90
ARMS = (Arm.CANDIDATE, Arm.STABLE)
_UNITS = {Unit.RATIO: "percent", Unit.MS: "ms", Unit.USD_NANOS: "usd_nanos", Unit.COUNT: "count"}


def rolling_chart(
    series: MinuteSeries, metric: str, window_s: int, *, since: datetime, until: datetime
) -> dict[str, Any]:
    """The console's chart of `metric` on both arms from `since` to `until`, at most 90 points. `series` reaches back further
    than `since` by the window where there is data.
    """
    moments = list(_moments(series, since=since, until=until))
    return {
        "unit": _UNITS[CATALOGUE[metric].unit],
        "x": [int(moment.timestamp()) for moment in moments],
        "series": [_line(series, metric, arm, timedelta(seconds=window_s), moments) for arm in ARMS],
    }


def _moments(series: MinuteSeries, *, since: datetime, until: datetime) -> list[datetime]:
    known = [minute.minute for found in series.arms.values() for minute in found.minutes]
    if not known:
        return []
    # The minute in which `since` lies has begun before it; without it a rollout's first minute would show nothing.
    first, last = max(min(known), since.replace(second=0, microsecond=0)), min(max(known), until)
    spacing = BUCKET * max(1, -(-((last - first) // BUCKET + 1) // MAX_POINTS))
    count = max(0, (last - first) // spacing + 1)
    # Counted back from the present, so that the last point is what the rule sees now.
    return [last - spacing * step for step in reversed(range(count))]


def _line(
    series: MinuteSeries, metric: str, arm: Arm, window: timedelta, moments: Sequence[datetime]
) -> dict[str, Any]:
    minutes = sorted(series.minutes_of(arm), key=_start)
    starts = [minute.minute for minute in minutes]
    measured = metric_by_name(metric)
    estimates = []
    for moment in moments:
        # The minute in which the window begins counts as a whole, as in `telemetry.metrics.window`.
        low, high = bisect_right(starts, moment - window - BUCKET), bisect_right(starts, moment)
        estimates.append(measured.measure(minutes[low:high]))
    line: dict[str, Any] = {
        "key": arm.value,
        "label": arm.value.capitalize(),
        "values": [found.value if found else None for found in estimates],
        "counts": [found.n if found else 0 for found in estimates],
    }
    if any(found and found.lower is not None for found in estimates):
        line["low"] = [found.lower if found else None for found in estimates]
        line["high"] = [found.upper if found else None for found in estimates]
    return line


def _start(minute: Minute) -> datetime:
    return minute.minute
