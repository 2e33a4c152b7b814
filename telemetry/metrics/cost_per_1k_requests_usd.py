"""Cost per 1,000 requests. The value is in nano-dollars, as all money is; rules write it in dollars."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit, Unit
from telemetry.metrics.mean import Mean

METRIC = Mean(
    name="cost_per_1k_requests_usd",
    title="Cost per 1,000 requests",
    unit=Unit.USD_NANOS,
    direction=Direction.LOWER_IS_BETTER,
    category=Category.COST,
    amount=lambda minute: minute.cost_usd_nanos,
    per=1_000,
    exhibit=Exhibit(order_by=("-cost_usd_nanos",)),
)
