"""Confidence intervals for a mean, by resampling."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, fsum, sqrt
from random import Random
from statistics import NormalDist, fmean

from stats.intervals import Interval, wilson

RESAMPLES = 2_000
_NORMAL = NormalDist()
_ROUNDING = 1e-9  # differences of equal scores need not be exactly equal


def mean_interval(
    values: Sequence[float],
    *,
    low: float | None = None,
    high: float | None = None,
    seed: int,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval for the mean of what `values` were drawn from, each of them between `low` and `high` (None: no such end).

    The BCa bootstrap, cut to the range. Values that are all alike, from which resampling would conclude certainty, get
    `constant_interval` where the range has two ends, else an interval without width. The same `seed` gives the same interval.

    Raises `ValueError` for no values or a `confidence` outside (0, 1).
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    if max(values) - min(values) <= _ROUNDING * max(1.0, abs(values[0])):
        if low is None or high is None:
            return Interval(values[0], values[0], values[0])
        return constant_interval(values[0], len(values), low=low, high=high, confidence=confidence)
    found = bca_mean(values, seed=seed, confidence=confidence, resamples=resamples)
    return Interval(
        found.estimate,
        found.lower if low is None else max(found.lower, low),
        found.upper if high is None else min(found.upper, high),
    )


def bca_mean(
    values: Sequence[float], *, seed: int, confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The bias-corrected and accelerated bootstrap interval for the mean of at least two different values.

    Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987) 171-185; the acceleration by the jackknife as in
    B. Efron, R. Tibshirani, "An introduction to the bootstrap" (1993), equations 14.9 to 14.15, which for a mean needs no
    resampling of its own. Takes time `resamples · n` and memory `resamples`.

    Raises `ValueError` for values that are all alike, or a `confidence` outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if len(values) < 2 or min(values) == max(values):
        raise ValueError("the bootstrap needs at least two different values")
    n = len(values)
    estimate = fmean(values)
    random = Random(seed)  # noqa: S311 - reproducible draws, no secret
    means = sorted(fsum(random.choices(values, k=n)) / n for _ in range(resamples))
    below = sum(mean < estimate for mean in means)
    level = sum(mean == estimate for mean in means)
    # Half a draw from either end keeps the quantile finite.
    share = min(max((below + level / 2) / resamples, 0.5 / resamples), 1 - 0.5 / resamples)
    bias = _NORMAL.inv_cdf(share)
    # The acceleration has no unit; deviations near 1 neither vanish nor overflow when they are cubed.
    furthest = max(abs(value - estimate) for value in values)
    deviations = [(value - estimate) / furthest for value in values]
    squares = fsum(deviation**2 for deviation in deviations)
    acceleration = fsum(deviation**3 for deviation in deviations) / (6 * squares * sqrt(squares))

    def limit(quantile: float) -> float:
        shifted = bias + _NORMAL.inv_cdf(quantile)
        return _quantile(means, _NORMAL.cdf(bias + shifted / (1 - acceleration * shifted)))

    tail = (1 - confidence) / 2
    # With very skewed values both limits can lie on one side of the mean.
    return Interval(estimate, min(limit(tail), estimate), max(limit(1 - tail), estimate))


def constant_interval(value: float, n: int, *, low: float, high: float, confidence: float = 0.95) -> Interval:
    """Interval for the mean of a distribution on [low, high] of which `n` draws were all `value`.

    At least a share p of the distribution lies on `value`, where p is Wilson's lower limit for n of n; the rest may lie at either
    end. Raises `ValueError` for a value outside the range, or n below 1.
    """
    if not low <= value <= high:
        raise ValueError(f"{value} lies outside {low} to {high}")
    elsewhere = 1 - wilson(n, n, confidence=confidence).lower
    return Interval(value, value - elsewhere * (value - low), value + elsewhere * (high - value))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours: type 7 of R. Hyndman, Y. Fan, The American Statistician 50 (1996) 361-365."""
    place = share * (len(ordered) - 1)
    index = min(floor(place), len(ordered) - 2)
    return ordered[index] + (place - index) * (ordered[index + 1] - ordered[index])
