"""Failed calls: those that ended in an error."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit
from telemetry.metrics.rate import Rate

METRIC = Rate(
    name="error_rate",
    title="Failed calls",
    direction=Direction.LOWER_IS_BETTER,
    category=Category.ERRORS,
    hits=lambda minute: minute.errors,
    samples=lambda minute: minute.count,
    exhibit=Exhibit(where={"status": "error"}),
)
