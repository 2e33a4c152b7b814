"""A rule as a tree of frozen nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from telemetry.metrics.base import Metric
from telemetry.metrics.catalogue import CATALOGUE

# A condition without `for` looks at this much of the immediate past.
DEFAULT_WINDOW_S = 300


class Operator(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


class MarginMode(StrEnum):
    """`relative`: a share of the baseline's value. `absolute`: percentage points, for ratios alone."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class Threshold:
    """`metric > limit [for window]`: true means bad. `limit` is exact and in the metric's own unit (0.5 % is
    0.005).
    """

    metric: str
    operator: Operator
    limit: Decimal
    window_s: int | None = None


@dataclass(frozen=True, slots=True)
class WorseThanBaseline:
    """`metric worse than baseline by margin [for window]`: `margin` is a fraction (10 %, 10 pp: 0.1)."""

    metric: str
    margin: Decimal
    mode: MarginMode = MarginMode.RELATIVE
    window_s: int | None = None


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Rule, ...]


Condition = Threshold | WorseThanBaseline
Rule = Threshold | WorseThanBaseline | And | Or


def conditions(rule: Rule) -> Iterator[Condition]:
    """The conditions of `rule`, from left to right."""
    if isinstance(rule, And | Or):
        for part in rule.parts:
            yield from conditions(part)
    else:
        yield rule


def metric_of(condition: Condition) -> Metric:
    """The catalogue's row for the condition's metric."""
    return CATALOGUE[condition.metric]


def window_s_of(condition: Condition) -> int:
    """The length of the trailing window that the condition looks at, in seconds."""
    return DEFAULT_WINDOW_S if condition.window_s is None else condition.window_s


def metrics_used(rule: Rule) -> frozenset[str]:
    """The names of the metrics that `rule` looks at."""
    return frozenset(condition.metric for condition in conditions(rule))


def longest_window_s(rule: Rule) -> int:
    """How far back the rule's longest condition looks, in seconds."""
    return max(window_s_of(condition) for condition in conditions(rule))


def without_baseline(rule: Rule) -> Rule | None:
    """What of `rule` can still breach where no stable arm exists; `None` when nothing can.

    The first release of a deployment has no stable arm, and neither has a candidate that takes all traffic.
    A comparison with the baseline falls out of an `or`; an `and` that needs one can never hold and falls
    out whole.
    """
    if isinstance(rule, WorseThanBaseline):
        return None
    if isinstance(rule, Threshold):
        return rule
    reduced = [without_baseline(part) for part in rule.parts]
    kept = tuple(part for part in reduced if part is not None)
    if isinstance(rule, And):
        return And(kept) if len(kept) == len(rule.parts) else None
    if len(kept) <= 1:
        return kept[0] if kept else None
    return Or(kept)
