"""Answers whose tone people found to be off or harmful, of those that they judged."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit
from telemetry.metrics.rate import Rate

METRIC = Rate(
    name="tone_off_rate",
    title="Answers in the wrong tone",
    direction=Direction.LOWER_IS_BETTER,
    category=Category.LABELS,
    hits=lambda minute: minute.tone_off,
    samples=lambda minute: minute.toned,
    exhibit=Exhibit(question="tone"),
)
