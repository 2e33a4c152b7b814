"""Numbers as people read them: grouped, with a unit, and rates with the counts behind them.

All functions are total: `None` gives a dash, so a template never has to guard.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import floor, isfinite, log10

NBSP = "\u00a0"
DASH = "–"
MINUS = "−"
# Room for the largest float written out; the default context refuses more than 28 digits.
_WIDE = Context(prec=400)

Number = int | float | Decimal


def plain(value: Number, *, decimals: int) -> str:
    """`value` grouped by thousands with exactly `decimals` places and a true minus sign; half rounds away from zero."""
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(str(value)).quantize(step, rounding=ROUND_HALF_UP, context=_WIDE)
    text = f"{abs(rounded):,.{decimals}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def trimmed(value: Number, *, decimals: int) -> str:
    """Like `plain`, without trailing zeros after the point."""
    text = plain(value, decimals=decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def significant_decimals(value: Number, *, digits: int, at_least: int = 0) -> int:
    """How many places show `digits` significant digits of a number below one (at least `at_least`)."""
    if value == 0:
        return at_least
    return max(at_least, digits - 1 - floor(log10(abs(float(value)))))


def is_shown(value: Number | None) -> bool:
    return value is not None and isfinite(value)


def count(value: Number | None) -> str:
    """1504 → `1,504`."""
    return DASH if value is None or not is_shown(value) else trimmed(value, decimals=1)


def units(value: Number | None, unit: str) -> str:
    """1504, `call` → `1,504 calls`; irregular plurals as `entry,entries`."""
    if value is None or not is_shown(value):
        return DASH
    singular, _, plural = unit.partition(",")
    return f"{count(value)}{NBSP}{singular if abs(value) == 1 else plural or f'{singular}s'}"


def percent(fraction: Number | None, decimals: int | None = None) -> str:
    """0.008 → `0.8 %`. Without `decimals`: one place, or two significant digits below 0.1 %."""
    if fraction is None or not is_shown(fraction):
        return DASH
    share = Decimal(str(fraction)) * 100
    if decimals is not None:
        return f"{plain(share, decimals=decimals)}{NBSP}%"
    places = significant_decimals(share, digits=2, at_least=1) if abs(share) < Decimal("0.1") else 1
    return f"{trimmed(share, decimals=min(places, 6))}{NBSP}%"


def basis_points(value: Number | None) -> str:
    """200 → `2 %`; 25 → `0.25 %`. One basis point is a hundredth of a per cent."""
    return DASH if value is None else f"{trimmed(Decimal(str(value)) / 100, decimals=2)}{NBSP}%"


def rate(numerator: Number | None, denominator: Number | None) -> str:
    """12, 1504 → `0.8 % · 12 of 1,504`; `no data` when nothing was counted."""
    if numerator is None or not denominator:
        return "no data"
    share = percent(Decimal(str(numerator)) / Decimal(str(denominator)))
    return f"{share} · {count(numerator)} of {count(denominator)}"


def signed(text: str) -> str:
    """Put a plus before a formatted amount above zero: for differences."""
    is_above_zero = text[:1] in "$0123456789" and any(digit in text for digit in "123456789")
    return f"+{text}" if text and is_above_zero else text


def file_size(size_bytes: Number | None) -> str:
    """2048 → `2 KB` (1 KB = 1024 bytes)."""
    if size_bytes is None:
        return DASH
    size = float(size_bytes)
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(size) < 1024:
            return f"{trimmed(size, decimals=1)}{NBSP}{unit}"
        size /= 1024
    return f"{trimmed(size, decimals=1)}{NBSP}TB"
