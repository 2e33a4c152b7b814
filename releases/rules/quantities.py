"""Numbers with units: reading them for a metric, and writing them back.

Everything is `Decimal`, so a rule that is read, written and read again has exactly the same limit.
"""

from __future__ import annotations

import re
from decimal import Decimal

from telemetry.metrics.base import Metric, Unit

_SHAPE = re.compile(r"([0-9]+(?:\.[0-9]+)?)[ \t]*(%|[a-zA-Z]*)\Z")
_MAX_DIGITS = 12
_MAX_WINDOW_S = 30 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

# How each unit may be written, as a factor to the metric's own; without a unit the number is in the
# metric's own.
_FACTORS: dict[Unit, dict[str, Decimal]] = {
    Unit.RATIO: {"": Decimal(1), "%": Decimal("0.01")},
    Unit.MS: {"": Decimal(1), "ms": Decimal(1), "s": Decimal(1_000)},
    Unit.USD_NANOS: {"": Decimal(1_000_000_000), "usd": Decimal(1_000_000_000)},
    Unit.COUNT: {"": Decimal(1)},
}
_EXAMPLES = {
    Unit.RATIO: "a share such as 0.5%",
    Unit.MS: "a time such as 800ms or 1.5s",
    Unit.USD_NANOS: "an amount such as 2.50usd",
    Unit.COUNT: "a plain number such as 900",
}


class QuantityError(ValueError):
    """A number or unit that does not fit; `offset` is where in the word, `hint` what would."""

    def __init__(self, message: str, *, offset: int, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


def read_limit(text: str, metric: Metric) -> Decimal:
    """`text` as a limit in the unit of `metric`."""
    number, unit, offset = _split(text)
    example = _EXAMPLES[metric.unit]
    factor = _FACTORS[metric.unit].get(unit)
    if factor is None:
        raise QuantityError(
            f"{metric.name} is not measured in “{unit}”", offset=offset, hint=f"write {example}"
        )
    limit = number * factor
    if metric.unit is Unit.RATIO and limit > 1:
        meant = f", or {number}% if that is what you mean" if unit == "" and number <= 100 else ""
        raise QuantityError(f"{metric.name} never exceeds 100%", offset=0, hint=f"write {example}{meant}")
    return limit


def read_margin(text: str) -> tuple[Decimal, bool]:
    """`text` as a fraction, and whether it is in percentage points (`2pp`)."""
    number, unit, offset = _split(text)
    if unit not in {"%", "pp"}:
        raise QuantityError(
            "a margin is a percentage", offset=offset, hint="write it as 10% or, in percentage points, 2pp"
        )
    return number / 100, unit == "pp"


def read_window_s(text: str) -> int:
    """`text` as a whole number of seconds, at least one and at most 30 days."""
    number, unit, offset = _split(text)
    if unit not in _SECONDS or number != number.to_integral_value():
        at = offset if unit not in _SECONDS else 0
        raise QuantityError(
            "not a duration", offset=at, hint="write whole seconds, minutes, hours or days: 30s, 10m, 6h, 2d"
        )
    seconds = int(number) * _SECONDS[unit]
    if not 1 <= seconds <= _MAX_WINDOW_S:
        raise QuantityError("the window is too short or too long", offset=0, hint="use 1s to 30d")
    return seconds


def write_limit(limit: Decimal, metric: Metric) -> str:
    """`limit` as rules write it: percent, ms, usd or a plain number."""
    suffix = {Unit.RATIO: "%", Unit.MS: "ms", Unit.USD_NANOS: "usd", Unit.COUNT: ""}[metric.unit]
    return f"{plain(limit / _FACTORS[metric.unit][suffix])}{suffix}"


def write_window(seconds: int) -> str:
    """`seconds` in the largest unit that divides them."""
    for unit in ("d", "h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def plain(number: Decimal) -> str:
    """`number` without exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _split(text: str) -> tuple[Decimal, str, int]:
    match = _SHAPE.match(text)
    assert match is not None, "the grammar's QUANTITY has this shape"
    digits, unit = match.group(1), match.group(2).lower()
    if len(digits.replace(".", "")) > _MAX_DIGITS:
        raise QuantityError("too many digits", offset=0, hint=f"use at most {_MAX_DIGITS}")
    return Decimal(digits), unit, match.start(2)
