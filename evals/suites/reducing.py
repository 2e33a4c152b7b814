"""The trials of one case, and its scores, made one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from evals.scorers import Score
from evals.suites.spec import Reducer, ScorerSpec


class CaseState(StrEnum):
    """`error` and `skipped` say nothing about the release: no usable answer, not asked, or nothing to be scored."""

    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"
    PASS = "pass"  # noqa: S105 - a state, no password


@dataclass(frozen=True, slots=True)
class Reduced:
    """What the trials of one case say under one scorer. `value` is what enters the result; `passed` is for the list of cases."""

    value: float
    passed: bool | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case over all its trials.

    `score` is the weighted mean of its scores with a bounded range, each turned so that 1 is best; None without any. `complete`
    says that every trial was made, whatever came of it.
    """

    key: str
    state: CaseState
    reduced: Mapping[str, Reduced]
    score: float | None
    complete: bool = True


def reduce_trials(spec: ScorerSpec, scores: Sequence[Score]) -> Reduced | None:
    """One value from the scores of all trials of a case; None where the scorer had nothing to say of any.

    Trials that the scorer had nothing to say of are left out. With `mean` the case is shown as passed when every trial passed.
    """
    said = [score for score in scores if score.value is not None]
    if not said:
        return None
    passes = [score.passed for score in said if score.passed is not None]
    if spec.reducer is Reducer.MEAN:
        mean = fmean(score.value for score in said if score.value is not None)
        return Reduced(mean, all(passes) if passes else None)
    passed = _passed(spec.reducer, passes)
    return Reduced(float(passed), passed)


def _passed(reducer: Reducer, passes: Sequence[bool]) -> bool:
    match reducer:
        case Reducer.ANY:
            return any(passes)
        case Reducer.MAJORITY:
            return 2 * sum(passes) > len(passes)
        case _:
            return bool(passes) and all(passes)


def case_result(key: str, specs: Sequence[ScorerSpec], reduced: Mapping[str, Reduced]) -> CaseResult:
    """A case all of whose trials were scored. It fails when it fails under any scorer, and is skipped when none applies."""
    state = CaseState.PASS if reduced else CaseState.SKIPPED
    if any(one.passed is False for one in reduced.values()):
        state = CaseState.FAIL
    return CaseResult(
        key, state, reduced, weighted(specs, {name: one.value for name, one in reduced.items()})
    )


def weighted(specs: Sequence[ScorerSpec], values: Mapping[str, float]) -> float | None:
    """The weighted mean of values by scorer, each moved to 0 to 1 with 1 as its best; None where none has a weight."""
    total = weights = 0.0
    for spec in specs:
        if spec.id not in values or spec.high is None or not spec.weight:
            continue
        share = (values[spec.id] - spec.low) / (spec.high - spec.low)
        total += spec.weight * (share if spec.higher_is_better else 1 - share)
        weights += spec.weight
    return total / weights if weights else None
