"""Rows as they come in, kept as small as a verdict needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from evals.scorers import Score
from evals.suites.reducing import CaseResult, CaseState, Reduced, case_result, reduce_trials
from evals.suites.results import Usage
from evals.suites.rows import TrialRow
from evals.suites.spec import StageSpec
from stats.histogram import LogHistogram


class Tally:
    """The trials of one stage: scores without the answers, and sums. A later row for the same trial replaces the earlier one.

    Memory grows with trials · scorers numbers; evidence is kept only for scorers that pool it.
    """

    def __init__(self, stage: StageSpec) -> None:
        self._stage = stage
        self._pooling = {spec.id for spec in stage.scorers if spec.scorer.pool is not None}
        self._trials: dict[str, dict[int, Mapping[str, Score] | None]] = {}
        self._usage: dict[tuple[str, int], tuple[int | None, int | None, int, int]] = {}

    def add(self, row: TrialRow) -> None:
        """Count one row."""
        scores = (
            None if row.in_error else {name: self._slim(name, score) for name, score in row.scores.items()}
        )
        self._trials.setdefault(row.case, {})[row.trial] = scores
        if not row.failure:
            self._usage[row.case, row.trial] = (
                row.latency_ms,
                row.cost_nanos,
                row.input_tokens or 0,
                row.output_tokens or 0,
            )

    def case(self, key: str) -> CaseResult:
        """One case. It counts only once each of its trials was scored: the easier ones alone would flatter it."""
        trials = self._trials.get(key, {})
        known = [trials[number] for number in range(self._stage.trials) if number in trials]
        scored = [scores for scores in known if scores is not None]
        if len(scored) < len(known):
            return CaseResult(key, CaseState.ERROR, {}, None, complete=len(known) == self._stage.trials)
        if len(known) < self._stage.trials:
            return CaseResult(key, CaseState.SKIPPED, {}, None, complete=False)
        reduced: dict[str, Reduced] = {}
        for spec in self._stage.scorers:
            one = reduce_trials(spec, [scores[spec.id] for scores in scored if spec.id in scores])
            if one is not None:
                reduced[spec.id] = one
        return case_result(key, self._stage.scorers, reduced)

    def was_asked(self, key: str) -> bool:
        """Whether there is a row of this case."""
        return key in self._trials

    def evidence(self, scorer: str, keys: set[str]) -> Iterator[Mapping[str, Any]]:
        """The evidence of a scorer that pools it, of the trials of these cases, in the order of cases and trials."""
        for key in sorted(keys):
            for _, scores in sorted(self._trials[key].items()):
                if scores is not None and scorer in scores and scores[scorer].value is not None:
                    yield scores[scorer].evidence

    def usage(self) -> Usage:
        """What all answered trials took."""
        sums: Counter[str] = Counter()
        latencies = LogHistogram()
        for latency_ms, cost_nanos, read, written in self._usage.values():
            if latency_ms is not None:
                latencies.add(latency_ms)
            sums.update(
                {"cost": cost_nanos or 0, "unpriced": cost_nanos is None, "read": read, "written": written}
            )
        return Usage(
            trials=len(self._usage),
            cost_nanos=sums["cost"],
            unpriced=sums["unpriced"],
            input_tokens=sums["read"],
            output_tokens=sums["written"],
            p50_latency_ms=_whole(latencies.quantile(0.5)),
            p95_latency_ms=_whole(latencies.quantile(0.95)),
        )

    def _slim(self, name: str, score: Score) -> Score:
        return Score(score.value, score.passed, evidence=score.evidence if name in self._pooling else {})


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
