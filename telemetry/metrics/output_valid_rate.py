"""Outputs that match their schema, of those that were checked against one."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit
from telemetry.metrics.rate import Rate

METRIC = Rate(
    name="output_valid_rate",
    title="Outputs that match their schema",
    direction=Direction.HIGHER_IS_BETTER,
    category=Category.CORRECTNESS,
    hits=lambda minute: minute.valid,
    samples=lambda minute: minute.validated,
    exhibit=Exhibit(where={"output_valid": False}),
)
