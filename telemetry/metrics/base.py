"""What a metric is: how some minutes of one arm become a number, the samples behind it, and its interval."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Unit(StrEnum):
    """What the number counts in. A ratio runs from 0 to 1; rules write it as percent."""

    RATIO = "ratio"
    MS = "ms"
    USD_NANOS = "usd_nanos"
    COUNT = "count"


class Kind(StrEnum):
    """How samples are summed up. A rate is a share of samples, so it has a binomial interval."""

    RATE = "rate"
    MEAN = "mean"
    PERCENTILE = "percentile"


class Direction(StrEnum):
    LOWER_IS_BETTER = "lower_is_better"
    HIGHER_IS_BETTER = "higher_is_better"


class Category(StrEnum):
    """What a metric watches. A canary has to watch each of latency, cost, policy and correctness.

    What people label comes late and of few answers, so it adds to those and replaces none of them.
    """

    CORRECTNESS = "correctness"
    POLICY = "policy"
    LATENCY = "latency"
    COST = "cost"
    ERRORS = "errors"
    LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Minute:
    """One arm's rollup of one minute; `minute` is its start in UTC.

    The counts after the histogram are of answers that people had judged by then, and of no calls (`telemetry.labels`).
    """

    minute: datetime
    count: int
    errors: int
    policy_hits: int
    validated: int
    valid: int
    input_tokens: int
    output_tokens: int
    cost_usd_nanos: int
    latency_histogram: Mapping[str, int]
    judged: int = 0
    hallucinated: int = 0
    unsupported: int = 0
    toned: int = 0
    tone_off: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value in the metric's unit, how many samples it rests on, and its 95 % interval if it has one."""

    value: float
    n: int
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Which inferences show what the metric complains about: ORM conditions and an order, worst first.

    With a `question` of the review, only those that people found bad in it.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    order_by: tuple[str, ...] = ("-at",)
    question: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """One metric by the name that rules use. `available` is false while nothing measures it: conditions on it find no data."""

    name: str
    title: str
    unit: Unit
    kind: Kind
    direction: Direction
    category: Category
    available: bool = True
    exhibit: Exhibit = field(default_factory=Exhibit)

    @abstractmethod
    def measure(self, minutes: Sequence[Minute]) -> Estimate | None:
        """The value over `minutes` of one arm, in any order; `None` when they hold no sample."""
