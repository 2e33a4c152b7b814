"""What a rule is measured with, and what measuring it returns."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from releases.routing import Arm
from releases.rules.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Window:
    """One metric of one arm over a trailing window.

    `value` is in the metric's unit (`None` without samples), `n` the samples behind it, `lower` and `upper`
    its 95 % interval where there is one (for display; verdicts compute their own). `covered_s` is how much
    of the window the arm has been under measurement: from the window's start, or from the first sample of
    the arm's life if that came later, to the window's end. Gaps between calls count as covered.
    """

    value: float | None
    n: int
    lower: float | None
    upper: float | None
    covered_s: float

    @property
    def measured(self) -> float:
        """The value of a window that has one; raises `ValueError` otherwise."""
        if self.value is None:
            raise ValueError("a window without samples has no value")
        return self.value

    @property
    def hits(self) -> int:
        """For a rate: how many of the `n` samples it counts."""
        return min(self.n, max(0, round(self.measured * self.n)))


class MeasurementFailed(Exception):
    """A metric source could not answer; its message is a sentence for people."""


class WindowReader(Protocol):
    """Where measurements come from."""

    def window(self, metric: str, arm: Arm, seconds: int) -> Window | None:
        """The trailing `seconds` of `metric` on `arm`; `None` without samples; raises `MeasurementFailed`."""


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition as it was measured. `limit` is in the metric's unit; `None` when it needs a baseline that
    is absent.
    """

    condition: str
    metric: str
    window_s: int
    verdict: Verdict
    sentence: str
    candidate: Window | None = None
    baseline: Window | None = None
    limit: float | None = None
    samples_missing: int = 0
    seconds_missing: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A rule's verdict with the measurements that led to it, in the order of the rule's text."""

    verdict: Verdict
    conditions: tuple[ConditionResult, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why the verdict is what it is: the sentences of the conditions that share it, or of all."""
        matching = tuple(c.sentence for c in self.conditions if c.verdict is self.verdict)
        return matching or tuple(c.sentence for c in self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, for records and evidence."""
        return {"verdict": self.verdict.value, "conditions": [_plain(c) for c in self.conditions]}


def _plain(result: ConditionResult) -> dict[str, Any]:
    return {
        "condition": result.condition,
        "metric": result.metric,
        "window_s": result.window_s,
        "verdict": result.verdict.value,
        "sentence": result.sentence,
        "candidate": _plain_window(result.candidate),
        "baseline": _plain_window(result.baseline),
        "limit": result.limit,
        "samples_missing": result.samples_missing,
        "seconds_missing": result.seconds_missing,
    }


def _plain_window(window: Window | None) -> dict[str, Any] | None:
    if window is None:
        return None
    finite = window.value is not None and isfinite(window.value)
    return {
        "value": window.value if finite else None,
        "n": window.n,
        "lower": window.lower,
        "upper": window.upper,
        "covered_s": window.covered_s,
    }
