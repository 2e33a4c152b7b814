"""From an interval and a limit to a verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evals.states import Verdict
from stats.intervals import Interval

_ROUNDING = 1e-9


class LimitKind(StrEnum):
    """`max_drop` bounds how much worse than the live release a candidate is."""

    MIN = "min"
    MAX = "max"
    MAX_DROP = "max_drop"


@dataclass(frozen=True, slots=True)
class Judged:
    """A limit with what was found. `interval` is None where there was nothing to measure."""

    kind: LimitKind
    limit: float
    interval: Interval | None
    cases: int
    verdict: Verdict
    detail: str


def judge(
    kind: LimitKind,
    limit: float,
    interval: Interval | None,
    *,
    cases: int,
    least_cases: int,
    best: float | None,
) -> Judged:
    """Whether what was found keeps the limit.

    An interval that lies on one side decides. One that holds the limit decides nothing with fewer than `least_cases` cases; from
    then on its estimate decides. A limit that equals `best`, the end of the range, asks for perfection of these very cases, and
    estimates nothing.
    """
    if interval is None or cases == 0:
        return Judged(kind, limit, None, 0, Verdict.INCONCLUSIVE, "No case could be scored.")
    verdict, because = _verdict(kind, limit, interval, cases, least_cases, best)
    found = f"{interval.estimate:.4g} ({interval.lower:.4g} to {interval.upper:.4g}) over {cases} cases"
    return Judged(kind, limit, interval, cases, verdict, f"{found}; {_WORDS[kind]} {limit:.4g}. {because}")


_WORDS = {
    LimitKind.MIN: "at least",
    LimitKind.MAX: "at most",
    LimitKind.MAX_DROP: "worse than the live release by at most",
}


def _verdict(
    kind: LimitKind, limit: float, interval: Interval, cases: int, least_cases: int, best: float | None
) -> tuple[Verdict, str]:
    sign = 1 if kind is LimitKind.MIN else -1
    keeps = sign * (interval.estimate - limit) >= -_ROUNDING
    by_estimate = Verdict.PASS if keeps else Verdict.FAIL
    if best is not None and limit == best:
        return by_estimate, "Every case must be perfect, so no estimate is needed."
    worst_end, best_end = (interval.lower, interval.upper) if sign == 1 else (interval.upper, interval.lower)
    if sign * (worst_end - limit) >= -_ROUNDING:
        return Verdict.PASS, "The whole interval keeps the limit."
    if sign * (best_end - limit) < 0:
        return Verdict.FAIL, "The whole interval breaks the limit."
    if cases < least_cases:
        return (
            Verdict.INCONCLUSIVE,
            f"The interval holds the limit, and {least_cases} cases are needed to decide then.",
        )
    return by_estimate, "The interval holds the limit, so the estimate decides."
