"""Hallucinations. No part of the product scores factual consistency yet, so these never have a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.metrics.base import Category, Direction, Estimate, Kind, Metric, Minute, Unit


@dataclass(frozen=True, kw_only=True)
class Unmeasured(Metric):
    """A metric that rules may name and that has no source."""

    available: bool = False

    def measure(self, minutes: Sequence[Minute]) -> Estimate | None:  # noqa: ARG002 - there is nothing in rollups for it
        return None


RATE = Unmeasured(
    name="hallucination_rate",
    title="Hallucinated answers",
    unit=Unit.RATIO,
    kind=Kind.RATE,
    direction=Direction.LOWER_IS_BETTER,
    category=Category.CORRECTNESS,
)
SCORE = Unmeasured(
    name="hallucination_score",
    title="Hallucination score",
    unit=Unit.RATIO,
    kind=Kind.MEAN,
    direction=Direction.LOWER_IS_BETTER,
    category=Category.CORRECTNESS,
)
