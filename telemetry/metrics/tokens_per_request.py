"""Tokens per request: what was sent and what was answered, as the provider counted."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit, Unit
from telemetry.metrics.mean import Mean

METRIC = Mean(
    name="tokens_per_request",
    title="Tokens per request",
    unit=Unit.COUNT,
    direction=Direction.LOWER_IS_BETTER,
    category=Category.COST,
    amount=lambda minute: minute.input_tokens + minute.output_tokens,
    exhibit=Exhibit(order_by=("-output_tokens", "-input_tokens")),
)
