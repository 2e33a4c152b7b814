"""Every metric by name. A new one is a module beside its neighbours and a line here."""

from __future__ import annotations

from difflib import get_close_matches

from promptstore.core.errors import InvalidInput
from telemetry.metrics import (
    cost_per_1k_requests_usd,
    domain_accuracy,
    error_rate,
    hallucination,
    latency,
    output_valid_rate,
    policy_filter_rate,
    success_rate,
    tokens_per_request,
    tone_off_rate,
)
from telemetry.metrics.base import Metric

CATALOGUE: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        success_rate.METRIC,
        error_rate.METRIC,
        policy_filter_rate.METRIC,
        output_valid_rate.METRIC,
        domain_accuracy.METRIC,
        latency.P50,
        latency.P95,
        latency.P99,
        tokens_per_request.METRIC,
        cost_per_1k_requests_usd.METRIC,
        hallucination.RATE,
        hallucination.SCORE,
        tone_off_rate.METRIC,
    )
}


def metric_by_name(name: str) -> Metric:
    """The metric called `name`; raises `InvalidInput("unknown_metric")`."""
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(CATALOGUE)
        raise InvalidInput(
            f"There is no metric “{name}”. Known are: {known}.", code="unknown_metric", field="metric"
        ) from None


def closest_name(name: str) -> str | None:
    """The known metric that `name` was most likely meant to be, or `None` when nothing is near."""
    matches = get_close_matches(name.lower(), CATALOGUE, n=1, cutoff=0.6)
    return matches[0] if matches else None
