"""Whether a series grows: a slope that a few outliers, such as the steps of a garbage collector, do not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

_Z95 = 1.959964


@dataclass(frozen=True, kw_only=True)
class Slope:
    """Per unit of `x`, with its 95 % interval."""

    value: float
    low: float
    high: float


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Slope:
    """The median of the slopes between all pairs of points, with the interval of P. K. Sen (Estimates of the regression coefficient
    based on Kendall's tau, JASA 63, 1968).

    `x` must not repeat a value, and both need three points at least: `ValueError`. The interval takes the points as independent;
    successive ones of a memory series are not quite, so it is a little too narrow.
    """
    count = len(x)
    if count != len(y) or count < 3 or len(set(x)) != count:
        raise ValueError("theil_sen needs three points or more, each at an x of its own")
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(zip(x, y, strict=True), 2))
    # The variance of Kendall's score, without ties.
    spread = _Z95 * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + spread) / 2) + 1)
    return Slope(value=median(slopes), low=slopes[low], high=slopes[high])
