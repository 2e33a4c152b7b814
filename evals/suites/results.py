"""What a stage says in the end, and how it is written down. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.scorers import Pooled
from evals.states import Verdict
from evals.suites.judging import Judged
from evals.suites.reducing import CaseResult, CaseState
from stats.intervals import Interval

_WORST_FIRST = (CaseState.FAIL, CaseState.ERROR, CaseState.SKIPPED, CaseState.PASS)


@dataclass(frozen=True, slots=True)
class ScorerResult:
    """One scorer over all cases.

    `interval` is the mean over cases, or the share of cases that passed; None where no case could be scored. `drop` is how much
    worse than the live release the same cases came out, `pairs` how many those are.
    """

    id: str
    measure: str
    interval: Interval | None
    cases: int
    not_applicable: int
    pooled: Pooled | None
    drop: Interval | None
    pairs: int
    judged: Sequence[Judged]

    def to_dict(self) -> dict[str, Any]:
        pooled = self.pooled
        return {
            "id": self.id,
            "measure": self.measure,
            "interval": interval_to_dict(self.interval),
            "cases": self.cases,
            "not_applicable": self.not_applicable,
            "pooled": pooled
            and {"name": pooled.name, "value": rounded(pooled.value), "signature": pooled.signature},
            "drop": interval_to_dict(self.drop),
            "pairs": self.pairs,
            "limits": [
                {
                    "kind": one.kind.value,
                    "limit": one.limit,
                    "verdict": one.verdict.value,
                    "detail": one.detail,
                    "cases": one.cases,
                }
                for one in self.judged
            ],
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """What the trials took. Latencies are within 2 %; `unpriced` trials have no known cost and count as nothing in `cost_nanos`."""

    trials: int
    cost_nanos: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    p50_latency_ms: int | None
    p95_latency_ms: int | None

    def to_dict(self) -> dict[str, int | None]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage in full. `cases` are worst first; `notes` are sentences about what the verdict rests on."""

    name: str
    verdict: Verdict
    notes: Sequence[str]
    counts: Mapping[CaseState, int]
    error_share: float
    score: float | None
    scorers: Sequence[ScorerResult]
    cases: Sequence[CaseResult]
    usage: Usage

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the cases."""
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "notes": list(self.notes),
            "counts": {state.value: self.counts.get(state, 0) for state in CaseState},
            "error_share": rounded(self.error_share),
            "score": None if self.score is None else rounded(self.score),
            "scorers": [scorer.to_dict() for scorer in self.scorers],
            "usage": self.usage.to_dict(),
        }


def badness(case: CaseResult) -> tuple[int, float, str]:
    """Sorts cases worst first: fails, errors, skipped ones, passes; in each the lowest score first."""
    return _WORST_FIRST.index(case.state), -1.0 if case.score is None else case.score, case.key


def interval_to_dict(interval: Interval | None) -> dict[str, float] | None:
    if interval is None:
        return None
    return {
        "estimate": rounded(interval.estimate),
        "lower": rounded(interval.lower),
        "upper": rounded(interval.upper),
    }


def rounded(value: float) -> float:
    """Six digits behind the point: more says nothing, and makes reports hard to compare."""
    return round(value, 6)
