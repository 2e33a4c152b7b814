"""Measuring a rule against what production did.

A rule says when a release is bad, so a condition that holds is a *breach* and its verdict is `fail`.

- `C for D` is measured on the aggregate of the trailing D (without `for`: 5 minutes), not on D points in a
  row.
- It fails only if the arm has at least `min_samples` in the window and has been under measurement for D
  (one rollup bucket short of it is enough). Until then it is `inconclusive` and says how many samples and
  seconds are missing.
- No samples at all, or no baseline to compare with, is `no_data`. A metric source that answers with an
  error is `error`.
- `worse than baseline` holds when the candidate's value lies beyond the baseline's by *more* than the
  margin. For rates the 95 % interval of the difference (Newcombe) must exclude "not worse" as well; where
  the value is beyond the margin but the interval still allows for chance, the verdict is `inconclusive`.
  Means and percentiles compare their values alone, with `min_samples` on both sides.
- `or` fails if any part fails, else it is the worst of its parts: it passes only if all pass.
- `and` fails only if all parts fail and passes if any part passes; else it is the worst of the undecided
  parts.

From best to worst: `pass`, `inconclusive`, `no_data`, `error`. Missing data never means pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from releases.routing import Arm
from releases.rules import sentences
from releases.rules.formatting import format_rule
from releases.rules.measurements import ConditionResult, Evaluation, MeasurementFailed, Window, WindowReader
from releases.rules.nodes import (
    And,
    Condition,
    MarginMode,
    Operator,
    Or,
    Rule,
    Threshold,
    WorseThanBaseline,
    metric_of,
    window_s_of,
)
from releases.rules.verdicts import Verdict, all_of, any_of, worst_of
from stats.intervals import newcombe_difference
from telemetry.metrics.base import Direction, Kind, Metric

# Rollups are kept per minute, so a window may begin up to one bucket after its nominal start.
BUCKET_S = 60


def evaluate(rule: Rule, reader: WindowReader, *, min_samples: int) -> Evaluation:
    """Measure every condition of `rule` and combine their verdicts as this module's text says.

    `min_samples` is at least 1 (else `ValueError`). Every condition is measured, also where the verdict is
    settled without it, so that the record is complete.
    """
    if min_samples < 1:
        raise ValueError(f"min_samples must be at least 1, got {min_samples}")
    results: list[ConditionResult] = []
    verdict = _evaluate(rule, reader, min_samples, results)
    return Evaluation(verdict=verdict, conditions=tuple(results))


def _evaluate(rule: Rule, reader: WindowReader, min_samples: int, results: list[ConditionResult]) -> Verdict:
    if isinstance(rule, And | Or):
        verdicts = [_evaluate(part, reader, min_samples, results) for part in rule.parts]
        return all_of(verdicts) if isinstance(rule, And) else any_of(verdicts)
    result = _measure(rule, reader, min_samples)
    results.append(result)
    return result.verdict


@dataclass(frozen=True, slots=True)
class _Gap:
    """What keeps one arm's window from being judged."""

    verdict: Verdict
    sentence: str
    samples: int = 0
    seconds: int = 0


def _measure(condition: Condition, reader: WindowReader, min_samples: int) -> ConditionResult:
    metric, window_s = metric_of(condition), window_s_of(condition)
    compares = isinstance(condition, WorseThanBaseline)
    candidate: Window | None = None
    baseline: Window | None = None
    try:
        candidate = reader.window(metric.name, Arm.CANDIDATE, window_s)
        baseline = reader.window(metric.name, Arm.STABLE, window_s) if compares else None
    except MeasurementFailed as failure:
        gaps = [_Gap(Verdict.ERROR, f"{metric.title} could not be measured: {failure}")]
    else:
        gaps = _gaps(metric, Arm.CANDIDATE, candidate, window_s, min_samples)
        if compares:
            gaps += _gaps(metric, Arm.STABLE, baseline, window_s, min_samples)
    limit = _limit(condition, baseline)
    if gaps:
        verdict = worst_of(gap.verdict for gap in gaps)
        sentence = " ".join(gap.sentence for gap in gaps if gap.verdict is verdict)
    else:
        assert candidate is not None
        assert limit is not None
        verdict = _verdict(condition, candidate, baseline, limit)
        sentence = sentences.measured(
            metric,
            window_s,
            candidate=candidate,
            baseline=baseline,
            limit=limit,
            by_chance=verdict is Verdict.INCONCLUSIVE,
        )
    return ConditionResult(
        condition=format_rule(condition),
        metric=metric.name,
        window_s=window_s,
        verdict=verdict,
        sentence=sentence,
        candidate=candidate,
        baseline=baseline,
        limit=limit,
        samples_missing=max((gap.samples for gap in gaps), default=0),
        seconds_missing=max((gap.seconds for gap in gaps), default=0),
    )


def _gaps(metric: Metric, arm: Arm, window: Window | None, window_s: int, min_samples: int) -> list[_Gap]:
    if window is None or window.n == 0 or window.value is None:
        return [_Gap(Verdict.NO_DATA, sentences.no_data(metric, arm, window_s), samples=min_samples)]
    if not isfinite(window.value):
        return [_Gap(Verdict.ERROR, f"{metric.title} could not be measured: the value is not a number.")]
    samples = max(0, min_samples - window.n)
    uncovered = window_s - window.covered_s
    seconds = round(uncovered) if uncovered > BUCKET_S else 0
    if samples or seconds:
        sentence = sentences.too_little(metric, arm, window_s, n=window.n, samples=samples, seconds=seconds)
        return [_Gap(Verdict.INCONCLUSIVE, sentence, samples=samples, seconds=seconds)]
    return []


def _limit(condition: Condition, baseline: Window | None) -> float | None:
    """The value beyond which the condition holds, in the metric's unit."""
    if isinstance(condition, Threshold):
        return float(condition.limit)
    if baseline is None or baseline.value is None:
        return None
    margin = float(condition.margin)
    room = margin if condition.mode is MarginMode.ABSOLUTE else margin * baseline.value
    lower_is_better = metric_of(condition).direction is Direction.LOWER_IS_BETTER
    return baseline.value + room if lower_is_better else baseline.value - room


def _verdict(condition: Condition, candidate: Window, baseline: Window | None, limit: float) -> Verdict:
    value = candidate.measured
    if isinstance(condition, Threshold):
        return Verdict.FAIL if _holds(value, condition.operator, limit) else Verdict.PASS
    assert baseline is not None
    metric = metric_of(condition)
    lower_is_better = metric.direction is Direction.LOWER_IS_BETTER
    if not (value > limit if lower_is_better else value < limit):
        return Verdict.PASS
    if metric.kind is Kind.RATE and not _certainly_worse(
        candidate, baseline, lower_is_better=lower_is_better
    ):
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL


def _holds(value: float, operator: Operator, limit: float) -> bool:
    match operator:
        case Operator.ABOVE:
            return value > limit
        case Operator.AT_LEAST:
            return value >= limit
        case Operator.BELOW:
            return value < limit
        case Operator.AT_MOST:
            return value <= limit


def _certainly_worse(candidate: Window, baseline: Window, *, lower_is_better: bool) -> bool:
    """Whether the 95 % interval of candidate − baseline lies wholly on the worse side of zero."""
    difference = newcombe_difference(candidate.hits, candidate.n, baseline.hits, baseline.n)
    return difference.lower > 0 if lower_is_better else difference.upper < 0
