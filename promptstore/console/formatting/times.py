"""Moments relative to now. `static/js/time.js` follows the same steps, so a refreshed text never jumps."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from promptstore.console.formatting.numbers import NBSP

# (below this many seconds, seconds per unit, unit)
_STEPS = ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"), (30 * 86_400, 86_400, "d"))
JUST_NOW_S = 5


def relative(moment: datetime, *, now: datetime) -> str:
    """`just now`, `3 min ago`, `in 2 h`; beyond thirty days the date."""
    seconds = (now - moment).total_seconds()
    distance = int(abs(seconds))
    if distance < JUST_NOW_S:
        return "just now"
    for limit, size, unit in _STEPS:
        if distance < limit:
            amount = f"{distance // size}{NBSP}{unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return f"{timezone.localtime(moment):%-d %b %Y}"


def exact(moment: datetime) -> str:
    """`24 Nov 2026, 14:03:09 UTC`, in the active time zone."""
    return f"{timezone.localtime(moment):%-d %b %Y, %H:%M:%S %Z}"
