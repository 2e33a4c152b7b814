"""Policy hits: calls whose output the policy filter stopped."""

from __future__ import annotations

from telemetry.metrics.base import Category, Direction, Exhibit
from telemetry.metrics.rate import Rate

METRIC = Rate(
    name="policy_filter_rate",
    title="Policy hits",
    direction=Direction.LOWER_IS_BETTER,
    category=Category.POLICY,
    hits=lambda minute: minute.policy_hits,
    samples=lambda minute: minute.count,
    exhibit=Exhibit(where={"policy_hit": True}),
)
