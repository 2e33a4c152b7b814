"""The metrics that rules may name: what each is, in which unit, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Unit(StrEnum):
    """What a metric's number counts in. Ratios run from 0 to 1 (rules write them as percent)."""

    RATIO = "ratio"
    MS = "ms"
    USD_NANOS = "usd_nanos"
    COUNT = "count"


class Kind(StrEnum):
    """How a metric sums up its samples. A rate is a share of samples, so it has a binomial interval."""

    RATE = "rate"
    MEAN = "mean"
    PERCENTILE = "percentile"


class Direction(StrEnum):
    LOWER_IS_BETTER = "lower_is_better"
    HIGHER_IS_BETTER = "higher_is_better"


class Category(StrEnum):
    CORRECTNESS = "correctness"
    POLICY = "policy"
    LATENCY = "latency"
    COST = "cost"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the catalogue. `available` is false while nothing measures it: conditions on it find no
    data.
    """

    name: str
    title: str
    unit: Unit
    kind: Kind
    direction: Direction
    category: Category
    available: bool = True


_LOWER, _HIGHER = Direction
_RATE, _MEAN, _PERCENTILE = Kind
_RATIO, _MS, _USD, _COUNT = Unit

CATALOGUE: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("success_rate", "Successful calls", _RATIO, _RATE, _HIGHER, Category.ERRORS),
        Metric("error_rate", "Failed calls", _RATIO, _RATE, _LOWER, Category.ERRORS),
        Metric("policy_filter_rate", "Policy hits", _RATIO, _RATE, _LOWER, Category.POLICY),
        Metric(
            "output_valid_rate",
            "Outputs that match their schema",
            _RATIO,
            _RATE,
            _HIGHER,
            Category.CORRECTNESS,
        ),
        # Until a feature brings a judge of its own, correct means: the output matches its schema.
        Metric("domain_accuracy", "Domain accuracy", _RATIO, _RATE, _HIGHER, Category.CORRECTNESS),
        Metric("p50_latency_ms", "Median latency", _MS, _PERCENTILE, _LOWER, Category.LATENCY),
        Metric("p95_latency_ms", "95th percentile latency", _MS, _PERCENTILE, _LOWER, Category.LATENCY),
        Metric("p99_latency_ms", "99th percentile latency", _MS, _PERCENTILE, _LOWER, Category.LATENCY),
        Metric("tokens_per_request", "Tokens per request", _COUNT, _MEAN, _LOWER, Category.COST),
        Metric("cost_per_1k_requests_usd", "Cost per 1,000 requests", _USD, _MEAN, _LOWER, Category.COST),
        Metric(
            "hallucination_rate",
            "Hallucinated answers",
            _RATIO,
            _RATE,
            _LOWER,
            Category.CORRECTNESS,
            available=False,
        ),
        Metric(
            "hallucination_score",
            "Hallucination score",
            _RATIO,
            _MEAN,
            _LOWER,
            Category.CORRECTNESS,
            available=False,
        ),
    )
}


def closest_name(name: str) -> str | None:
    """The known metric that `name` was most likely meant to be, or `None` when nothing is near."""
    matches = get_close_matches(name.lower(), CATALOGUE, n=1, cutoff=0.6)
    return matches[0] if matches else None
