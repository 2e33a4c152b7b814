"""Successful calls: every call that did not end in an error. A blocked answer is counted as a policy hit instead."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit
from telemetry.metrics.rate import Rate

METRIC = Rate(
    name="success_rate",
    title="Successful calls",
    direction=Direction.HIGHER_IS_BETTER,
    category=Category.ERRORS,
    hits=lambda minute: minute.count - minute.errors,
    samples=lambda minute: minute.count,
    exhibit=Exhibit(where={"status": "error"}),
)
