"""What a chart says in words and in a table: the same data for screen readers and without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from promptstore.console.formatting.durations import duration_ms
from promptstore.console.formatting.money import money
from promptstore.console.formatting.numbers import DASH, count, percent

MAX_TABLE_ROWS = 60


@dataclass(frozen=True)
class Reading:
    """One series' key, label and latest value as text."""

    key: str
    label: str
    latest: str


@dataclass(frozen=True)
class ChartTable:
    """Newest first, at most `MAX_TABLE_ROWS` rows of `(time, values)`."""

    columns: list[str]
    rows: list[tuple[str, list[str]]]


def value_text(value: float | None, unit: str) -> str:
    """A measured value in the chart's unit: `percent` (a fraction), `ms`, `usd_nanos`, `score` or `count`."""
    if value is None:
        return DASH
    if unit == "percent":
        return percent(value)
    if unit == "ms":
        return duration_ms(value)
    if unit == "usd_nanos":
        return money(int(value))
    return f"{value:.3f}" if unit == "score" else count(value)


def readings(data: Mapping[str, Any]) -> list[Reading]:
    """The latest known value of each series."""
    unit = data.get("unit", "count")
    found: list[Reading] = []
    for series in data.get("series", ()):
        known = [value for value in series["values"] if value is not None]
        latest = value_text(known[-1], unit) if known else "no data"
        found.append(Reading(key=series["key"], label=series["label"], latest=latest))
    return found


def table(data: Mapping[str, Any]) -> ChartTable:
    """The chart's numbers as a table."""
    unit = data.get("unit", "count")
    series: Sequence[Mapping[str, Any]] = data.get("series", ())
    moments = list(data.get("x", ()))
    rows = [
        (_clock_text(moment), [value_text(one["values"][position], unit) for one in series])
        for position, moment in enumerate(moments)
    ]
    return ChartTable(columns=[one["label"] for one in series], rows=rows[::-1][:MAX_TABLE_ROWS])


def _clock_text(epoch_s: float) -> str:
    return f"{timezone.localtime(datetime.fromtimestamp(epoch_s, tz=UTC)):%-d %b, %H:%M:%S}"
