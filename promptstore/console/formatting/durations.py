"""Durations with units, at most two of them."""

from __future__ import annotations

from datetime import timedelta

from promptstore.console.formatting.numbers import DASH, MINUS, NBSP, Number, trimmed

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(value: Number | timedelta | None) -> str:
    """7500 s → `2 h 5 min`; 1.24 s → `1.2 s`; below one second in milliseconds."""
    if value is None:
        return DASH
    total = value.total_seconds() if isinstance(value, timedelta) else float(value)
    sign, seconds = (MINUS if total < 0 else ""), abs(total)
    if 0 < seconds < 1:
        return f"{sign}{trimmed(seconds * 1000, decimals=0)}{NBSP}ms"
    if seconds < 10 and seconds % 1:
        return f"{sign}{trimmed(seconds, decimals=1)}{NBSP}s"
    return sign + _two_units(round(seconds))


def duration_ms(value: Number | None) -> str:
    """420 → `420 ms`; 1240 → `1.2 s`; 0.3 → `0.3 ms`."""
    if value is None:
        return DASH
    if 0 < abs(float(value)) < 10:
        return f"{trimmed(value, decimals=1)}{NBSP}ms"
    return duration(float(value) / 1000) if value else f"0{NBSP}ms"


def _two_units(seconds: int) -> str:
    for position, (unit, size) in enumerate(_UNITS):
        if seconds < size and size > 1:
            continue
        whole, rest = divmod(seconds, size)
        text = f"{whole}{NBSP}{unit}"
        if rest and position + 1 < len(_UNITS):
            smaller, smaller_size = _UNITS[position + 1]
            if rest >= smaller_size:
                text += f" {rest // smaller_size}{NBSP}{smaller}"
        return text
    return f"0{NBSP}s"
