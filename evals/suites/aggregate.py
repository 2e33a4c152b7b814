"""From rows to the result of a stage, beside the live release where there is one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from evals.states import Verdict, worst_of
from evals.suites.judging import Judged, LimitKind, judge
from evals.suites.reducing import CaseResult, CaseState, Reduced, weighted
from evals.suites.results import ScorerResult, StageResult, badness
from evals.suites.rows import TrialRow
from evals.suites.spec import ScorerSpec, StageSpec
from evals.suites.tally import Tally
from stats.bootstrap import mean_interval
from stats.intervals import Interval, wilson

SEED: Final = 7  # of the bootstrap, so that the same rows give the same report

_Live = Mapping[str, Mapping[str, Reduced]]


def aggregate(
    stage: StageSpec,
    rows: Iterable[TrialRow],
    *,
    planned: Sequence[str],
    live: Iterable[TrialRow] | None = None,
) -> StageResult:
    """The result of a stage from its rows, which are read once.

    `planned` are the keys of the cases that were to be asked; those without all their trials are `skipped`. `live` are rows of the
    live release under the same stage; None where nothing is live, which leaves `max_drop` out. The verdict is the worst of all
    limits; with too many errors it is `error`, and with skipped cases it is no better than `inconclusive`.
    """
    tally = _tally(stage, rows)
    cases = [tally.case(key) for key in planned]
    before = None if live is None else {case.key: case.reduced for case in _live_cases(stage, live, planned)}
    counts = Counter(case.state for case in cases)
    scorers = tuple(_scorer_result(spec, tally, cases, before) for spec in stage.scorers)
    asked = sum(tally.was_asked(key) for key in planned)
    error_share = counts[CaseState.ERROR] / asked if asked else 0.0
    incomplete = sum(not case.complete for case in cases)
    verdict, notes = _verdict(stage, scorers, error_share, incomplete, len(cases), first=live is None)
    estimates = {scorer.id: scorer.interval.estimate for scorer in scorers if scorer.interval is not None}
    return StageResult(
        name=stage.name,
        verdict=verdict,
        notes=notes,
        counts=counts,
        error_share=error_share,
        score=weighted(stage.scorers, estimates),
        scorers=scorers,
        cases=sorted(cases, key=badness),
        usage=tally.usage(),
    )


def _tally(stage: StageSpec, rows: Iterable[TrialRow]) -> Tally:
    tally = Tally(stage)
    for row in rows:
        tally.add(row)
    return tally


def _live_cases(stage: StageSpec, rows: Iterable[TrialRow], planned: Sequence[str]) -> Iterator[CaseResult]:
    tally = _tally(stage, rows)
    return (tally.case(key) for key in planned)


def _scorer_result(
    spec: ScorerSpec, tally: Tally, cases: Sequence[CaseResult], before: _Live | None
) -> ScorerResult:
    scored = [case for case in cases if spec.id in case.reduced]
    values = [case.reduced[spec.id].value for case in scored]
    interval = _interval(spec, values)
    differences = [] if before is None else list(_differences(spec, scored, before))
    drop = _drop(spec, differences)
    pool = spec.scorer.pool
    pooled = pool(tally.evidence(spec.id, {case.key for case in scored}), spec.params) if pool else None
    return ScorerResult(
        id=spec.id,
        measure="pass share" if spec.counts_passes else "mean",
        interval=interval,
        cases=len(values),
        not_applicable=sum(bool(case.complete) and not _errs(case) for case in cases) - len(values),
        pooled=pooled,
        drop=drop,
        pairs=len(differences),
        judged=tuple(
            _judged(spec, interval, len(values), drop, len(differences), compare=before is not None)
        ),
    )


def _errs(case: CaseResult) -> bool:
    return case.state is CaseState.ERROR


def _interval(spec: ScorerSpec, values: Sequence[float]) -> Interval | None:
    """Wilson's for shares of right and wrong, the bootstrap over cases for everything between."""
    if not values:
        return None
    if (spec.counts_passes or spec.scorer.binary) and set(values) <= {0.0, 1.0}:
        return wilson(round(sum(values)), len(values))
    return mean_interval(values, low=spec.low, high=spec.high, seed=SEED)


def _differences(spec: ScorerSpec, scored: Sequence[CaseResult], before: _Live) -> Iterator[float]:
    """How much worse each case came out than under the live release, where both were scored."""
    sign = 1 if spec.higher_is_better else -1
    for case in scored:
        if (then := before[case.key].get(spec.id)) is not None:
            yield sign * (then.value - case.reduced[spec.id].value)


def _drop(spec: ScorerSpec, differences: Sequence[float]) -> Interval | None:
    if not differences:
        return None
    reach = None if spec.high is None else spec.high - spec.low
    return mean_interval(differences, low=None if reach is None else -reach, high=reach, seed=SEED)


def _judged(
    spec: ScorerSpec,
    interval: Interval | None,
    cases: int,
    drop: Interval | None,
    pairs: int,
    *,
    compare: bool,
) -> Iterator[Judged]:
    limits = spec.limits
    for kind, limit in ((LimitKind.MIN, limits.least), (LimitKind.MAX, limits.most)):
        if limit is not None:
            yield judge(kind, limit, interval, cases=cases, least_cases=limits.least_cases, best=spec.high)
    if compare and limits.max_drop is not None:
        yield judge(
            LimitKind.MAX_DROP,
            limits.max_drop,
            drop,
            cases=pairs,
            least_cases=limits.least_cases,
            best=None,
        )


def _verdict(
    stage: StageSpec,
    scorers: Sequence[ScorerResult],
    error_share: float,
    incomplete: int,
    cases: int,
    *,
    first: bool,
) -> tuple[Verdict, list[str]]:
    """The stage's verdict, and why it is not simply that of its limits."""
    notes = []
    verdicts = [judged.verdict for scorer in scorers for judged in scorer.judged]
    if first and any(spec.limits.max_drop is not None for spec in stage.scorers):
        notes.append("Nothing is live, so no limit on a drop was applied.")
    if incomplete:
        notes.append(f"{incomplete} of {cases} cases were not asked as often as they should be.")
        verdicts.append(Verdict.INCONCLUSIVE)
    if error_share > stage.max_error_share:
        notes.append(
            f"{error_share:.1%} of the cases that were asked ended in an error, over {stage.max_error_share:.1%}:"
            " the others say nothing certain."
        )
        return Verdict.ERROR, notes
    return worst_of(verdicts), notes
