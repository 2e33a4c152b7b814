"""Hallucinations, as people found them in the review queue (`telemetry.labels`), of the answers where somebody could tell."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit, Unit
from telemetry.metrics.mean import Mean
from telemetry.metrics.rate import Rate

RATE = Rate(
    name="hallucination_rate",
    title="Hallucinated answers",
    direction=Direction.LOWER_IS_BETTER,
    category=Category.LABELS,
    hits=lambda minute: minute.hallucinated,
    samples=lambda minute: minute.judged,
    exhibit=Exhibit(question="factuality"),
)
# A label is one of three steps: supported 0, partly supported 0.5, not supported 1. Their even distance is our own choice.
SCORE = Mean(
    name="hallucination_score",
    title="Hallucination score",
    unit=Unit.RATIO,
    direction=Direction.LOWER_IS_BETTER,
    category=Category.LABELS,
    amount=lambda minute: minute.hallucinated + minute.unsupported,
    samples=lambda minute: minute.judged,
    per=0.5,
    exhibit=Exhibit(question="factuality"),
)
