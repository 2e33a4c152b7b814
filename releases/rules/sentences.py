"""Measurements in words: “Policy hits 1.2 % (12 of 1,004) over 10 min, limit 0.5 %.”"""

from __future__ import annotations

from math import floor, log10

from releases.routing import Arm
from releases.rules.measurements import Window
from telemetry.metrics.base import Category, Kind, Metric, Unit

# What stands between a number and its unit: they are never torn apart at a line's end.
NBSP = "\u00a0"
_ARM_WORDS = {Arm.CANDIDATE: "the candidate", Arm.STABLE: "stable"}


def measured(
    metric: Metric,
    window_s: int,
    *,
    candidate: Window,
    baseline: Window | None,
    limit: float,
    by_chance: bool,
) -> str:
    """What was measured and what the limit is, for windows that have a value."""
    text = f"{metric.title} {_with_count(metric, candidate)} over {duration(window_s)}"
    if baseline is not None:
        text += f", stable {_with_count(metric, baseline)}"
    text += f", limit {amount(limit, metric.unit)}"
    return f"{text}; the difference may still be chance." if by_chance else f"{text}."


def no_data(metric: Metric, arm: Arm, window_s: int) -> str:
    """Nothing was measured."""
    if not metric.available:
        return f"{metric.title}: nothing measures this yet."
    if metric.category is Category.LABELS:
        return f"{metric.title}: waits for labels; nobody judged answers of {_ARM_WORDS[arm]} over {duration(window_s)}."
    return f"{metric.title}: no data from {_ARM_WORDS[arm]} over {duration(window_s)}."


def too_little(metric: Metric, arm: Arm, window_s: int, *, n: int, samples: int, seconds: int) -> str:
    """Something was measured, but not enough to judge by."""
    missing = []
    if samples:
        noun = "labels" if metric.category is Category.LABELS else "samples"
        missing.append(f"{samples:,} more {noun} (has {n:,})")
    if seconds:
        missing.append(f"{duration(seconds)} more of measurement")
    needs = f"{_ARM_WORDS[arm]} needs {' and '.join(missing)} to be judged."
    return f"{metric.title} over {duration(window_s)}: {needs}"


def amount(value: float, unit: Unit) -> str:
    """`value`, given in `unit`, with three significant digits and its unit as people write it."""
    match unit:
        case Unit.RATIO:
            return f"{number(value * 100)}{NBSP}%"
        case Unit.MS:
            return f"{number(value)}{NBSP}ms"
        case Unit.USD_NANOS:
            return f"${number(value / 1e9)}"
        case Unit.COUNT:
            return number(value)


def number(value: float) -> str:
    """Three significant digits, thousands separated, no exponent, no trailing zeros."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: int) -> str:
    """The two largest units: “3 d 4 h”, “10 min”, “45 s”."""
    parts: list[str] = []
    rest = max(0, seconds)
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, size)
        if count and len(parts) < 2:
            parts.append(f"{count}{NBSP}{word}")
    return " ".join(parts) or f"0{NBSP}s"


def weight(weight_bp: int) -> str:
    """A weight in basis points as percent: 250 is “2.5 %”."""
    return f"{weight_bp / 100:g}{NBSP}%"


def _with_count(metric: Metric, window: Window) -> str:
    count = f"{window.hits:,} of {window.n:,}" if metric.kind is Kind.RATE else f"{window.n:,} samples"
    return f"{amount(window.measured, metric.unit)} ({count})"
