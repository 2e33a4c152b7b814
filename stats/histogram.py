"""A mergeable histogram that answers quantiles within 2 % of the true value.

The mapping is DDSketch's: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile
sketch with relative-error guarantees", PVLDB 12 (2019) 2195-2205, section 2.1. With a relative accuracy of
a and gamma = (1+a)/(1-a), bucket i counts the values in (gamma^(i-1), gamma^i] and stands for
2·gamma^i/(gamma+1), which is within a of every one of them.

Buckets are a function of the value alone, so adding up the counts of equal buckets merges two histograms
without any loss; a database can do it on the JSON form as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, floor, isfinite, log

RELATIVE_ACCURACY = 0.02
_GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
_LOG_GAMMA = log(_GAMMA)

# Values up to here count as zero: a nanosecond in milliseconds is 1e-6, so nothing that we measure is lost.
SMALLEST_VALUE = 1e-9
LARGEST_VALUE = 1e18
# The zero bucket's index sorts before all others and cannot be reached by the mapping.
ZERO_INDEX = -(2**31)
_LOWEST_INDEX = ceil(log(SMALLEST_VALUE) / _LOG_GAMMA)
_HIGHEST_INDEX = ceil(log(LARGEST_VALUE) / _LOG_GAMMA)


def bucket_index(value: float) -> int:
    """The bucket of `value`, a finite number in [0, 1e18]; raises `ValueError` for any other."""
    if not isfinite(value) or not 0 <= value <= LARGEST_VALUE:
        raise ValueError(f"a histogram takes values from 0 to {LARGEST_VALUE:g}, got {value}")
    if value <= SMALLEST_VALUE:
        return ZERO_INDEX
    return ceil(log(value) / _LOG_GAMMA)


def bucket_value(index: int) -> float:
    """The value that bucket `index` stands for, in the unit of the values that were added."""
    return 0.0 if index == ZERO_INDEX else 2 * _GAMMA**index / (_GAMMA + 1)


class LogHistogram:
    """Counts by logarithmic bucket. Mutable through `add` alone; merging returns a new histogram."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._counts: dict[int, int] = dict(counts or {})

    @classmethod
    def of(cls, values: Iterable[float]) -> LogHistogram:
        """A histogram of `values`."""
        histogram = cls()
        for value in values:
            histogram.add(value)
        return histogram

    def add(self, value: float, count: int = 1) -> None:
        """Count `value` `count` times. Raises `ValueError` for a value out of range or a count below 1."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        index = bucket_index(value)
        self._counts[index] = self._counts.get(index, 0) + count

    def merge(self, other: LogHistogram) -> LogHistogram:
        """The histogram of both sets of values; associative and commutative."""
        merged = LogHistogram(self._counts)
        for index, count in other._counts.items():
            merged._counts[index] = merged._counts.get(index, 0) + count
        return merged

    @property
    def count(self) -> int:
        """How many values were added."""
        return sum(self._counts.values())

    def quantile(self, q: float) -> float | None:
        """The value at rank `floor(q · (count - 1))` of the sorted values, within 2 %; `None` when empty.

        `q` lies in [0, 1]; anything else raises `ValueError`.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, got {q}")
        rank = floor(q * (self.count - 1))
        seen = 0
        for index in sorted(self._counts):
            seen += self._counts[index]
            if seen > rank:
                return bucket_value(index)
        return None

    def to_json(self) -> dict[str, int]:
        """A JSON object `{"<bucket index>": count}`, in ascending order of the index."""
        return {str(index): self._counts[index] for index in sorted(self._counts)}

    @classmethod
    def from_json(cls, document: Mapping[str, int]) -> LogHistogram:
        """The histogram that `to_json` wrote. Raises `ValueError` for what it cannot have written."""
        counts: dict[int, int] = {}
        for key, count in document.items():
            index = int(key)
            if str(index) != key:
                raise ValueError(f"a bucket's key is a plain whole number, got {key!r}")
            if index != ZERO_INDEX and not _LOWEST_INDEX <= index <= _HIGHEST_INDEX:
                raise ValueError(f"no bucket has the index {index}")
            if type(count) is not int or count < 1:
                raise ValueError(f"bucket {index} has no positive whole count: {count!r}")
            counts[index] = count
        return cls(counts)

    def __eq__(self, other: object) -> bool:
        return self._counts == other._counts if isinstance(other, LogHistogram) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"LogHistogram({self.to_json()!r})"
