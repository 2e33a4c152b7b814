"""Confidence intervals for proportions and for the difference between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with the limits of its two-sided confidence interval, all in the same unit."""

    estimate: float
    lower: float
    upper: float


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for the proportion `successes / n`, without continuity correction.

    Unlike the textbook (Wald) interval it keeps its coverage for rare events and small samples, and never
    leaves [0, 1]. Source: E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference", JASA 22 (1927) 209-212; the form used here is method 3 of R. G. Newcombe, Statistics in
    Medicine 17 (1998) 857-872.

    Raises `ValueError` unless `0 <= successes <= n`, `n >= 1` and `0 < confidence < 1`.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"need 0 <= successes <= n and n >= 1, got {successes} of {n}")
    z = _z(confidence)
    p = successes / n
    centre = 2 * successes + z * z
    spread = z * sqrt(z * z + 4 * successes * (1 - p))
    denominator = 2 * (n + z * z)
    # The closed form is exactly 0 or 1 at the ends; rounding must not push it past them.
    lower = 0.0 if successes == 0 else (centre - spread) / denominator
    upper = 1.0 if successes == n else (centre + spread) / denominator
    return Interval(estimate=p, lower=lower, upper=upper)


def newcombe_difference(
    successes_a: int, n_a: int, successes_b: int, n_b: int, *, confidence: float = 0.95
) -> Interval:
    """Interval for `a - b`, the difference of two independent proportions, from their two Wilson intervals.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", Statistics in Medicine 17 (1998) 873-890, method 10 (hybrid score, no
    continuity correction).

    Raises `ValueError` as `wilson` does.
    """
    a = wilson(successes_a, n_a, confidence=confidence)
    b = wilson(successes_b, n_b, confidence=confidence)
    difference = a.estimate - b.estimate
    return Interval(
        estimate=difference,
        lower=difference - hypot(a.estimate - a.lower, b.upper - b.estimate),
        upper=difference + hypot(a.upper - a.estimate, b.estimate - b.lower),
    )


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return NormalDist().inv_cdf(0.5 + confidence / 2)
