"""What rows add up to, and which verdict follows."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.scorers import Answer
from evals.states import Verdict
from evals.suites import CaseState, StageResult, TrialRow, aggregate
from evals.suites.scoring import score_answer
from promptstore.core.digests import canonical_json
from stats.intervals import wilson
from tests.evals.scorers.scored_cases import PlainCase
from tests.evals.suites.suite_cast import keys, row, rows_of, stage_of

F1: dict[str, Any] = {"scorer": "token_f1", "min": 0.7}


def failed(key: str, trial: int = 0) -> TrialRow:
    return TrialRow.failed(key, trial, failure="timeout", detail="Too slow.")


def exact(
    values: Sequence[float | None], *, live: Sequence[float | None] | None = None, **limits: Any
) -> StageResult:
    """Exact matches, beside those of the live release."""
    stage = stage_of({"scorer": "exact_match", **limits})
    return aggregate(
        stage,
        rows_of(values),
        planned=keys(len(values)),
        live=None if live is None else rows_of(live),
    )


def f1(
    values: Sequence[float | None], *, live: Sequence[float | None] | None = None, **limits: Any
) -> StageResult:
    stage = stage_of({**F1, **limits})
    return aggregate(
        stage,
        rows_of(values, scorer="token_f1"),
        planned=keys(len(values)),
        live=None if live is None else rows_of(live, scorer="token_f1"),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "verdict"),
    [
        (100, 0, Verdict.PASS),
        (10, 30, Verdict.FAIL),
        (9, 1, Verdict.INCONCLUSIVE),
        (20, 9, Verdict.INCONCLUSIVE),
        (82, 18, Verdict.PASS),
        (78, 22, Verdict.FAIL),
        (0, 3, Verdict.FAIL),
    ],
)
def test_an_interval_decides_and_where_it_cannot_the_estimate_of_enough_cases(
    right: int, wrong: int, verdict: Verdict
) -> None:
    result = exact([1.0] * right + [0.0] * wrong, min=0.8)
    assert result.verdict is verdict
    assert result.scorers[0].interval == wilson(right, right + wrong)
    assert (result.counts[CaseState.PASS], result.counts[CaseState.FAIL]) == (right, wrong)


@pytest.mark.parametrize(("wrong", "verdict"), [(0, Verdict.PASS), (1, Verdict.FAIL)])
def test_a_demand_for_every_case_needs_no_estimate(wrong: int, verdict: Verdict) -> None:
    assert exact([1.0] * 5 + [0.0] * wrong, min=1).verdict is verdict


def test_the_least_number_of_cases_is_the_suites_to_choose() -> None:
    assert exact([1.0] * 9 + [0.0], min=0.8, least_cases=10).verdict is Verdict.PASS


def test_a_few_perfect_means_prove_little() -> None:
    assert f1([0.95] * 3).verdict is Verdict.INCONCLUSIVE
    assert f1([0.95] * 40).verdict is Verdict.PASS


def test_means_have_a_bootstrap_interval_over_cases() -> None:
    values: Sequence[float | None] = [0.9, 0.8, 0.85, 0.95, 0.7] * 12
    interval = f1(values).scorers[0].interval
    assert interval is not None
    assert interval.estimate == pytest.approx(0.84)
    assert 0.81 < interval.lower < 0.83
    assert 0.85 < interval.upper < 0.87


def test_a_drop_is_measured_on_the_same_cases() -> None:
    live: Sequence[float | None] = [0.2, 0.5, 0.8, 0.95] * 15
    # Every case a little worse: far less than cases differ among themselves, and plain when they are paired.
    worse = f1(
        [value and value - 0.06 - 0.01 * (n % 3) for n, value in enumerate(live)],
        live=live,
        min=0,
        max_drop=0.03,
    )
    assert worse.verdict is Verdict.FAIL
    drop = worse.scorers[0].drop
    assert drop is not None
    assert 0.06 < drop.lower < 0.07 < drop.upper < 0.08
    assert worse.scorers[0].pairs == 60
    assert f1(live, live=live, min=0, max_drop=0.15).verdict is Verdict.PASS


def test_a_drop_of_latency_is_a_rise() -> None:
    stage = stage_of({"scorer": "latency", "max_drop": 50})

    def timed(ms: int) -> list[TrialRow]:
        return rows_of([float(ms + n % 7) for n in range(40)], scorer="latency")

    slow = aggregate(stage, timed(300), planned=keys(40), live=timed(100))
    assert slow.verdict is Verdict.FAIL
    assert slow.scorers[0].drop is not None
    assert slow.scorers[0].drop.estimate == pytest.approx(200)
    assert aggregate(stage, timed(100), planned=keys(40), live=timed(300)).verdict is Verdict.PASS
    assert slow.score is None


@pytest.mark.parametrize(("limit", "verdict"), [(120, "pass"), (103, "inconclusive"), (90, "fail")])
def test_less_is_better_under_a_most(limit: int, verdict: str) -> None:
    stage = stage_of({"scorer": "latency", "max": limit})
    rows = rows_of([float(100 + n % 7) for n in range(20)], scorer="latency")
    assert aggregate(stage, rows, planned=keys(20)).verdict == verdict


def test_neither_the_order_of_rows_nor_keeping_them_changes_the_result() -> None:
    stage = stage_of({"scorer": "bleu", "min": 0.2}, {**F1, "params": {"pass_from": 0.4}}, trials=2)
    texts = ["the cat sat on the mat", "a cat on a mat", "mat cat the on", "dogs bark at night"]
    rows = [
        score_answer(
            stage,
            PlainCase(expected=texts[0]),
            Answer(texts[(n + trial) % 4], latency_ms=n),
            key=key,
            trial=trial,
        )
        for n, key in enumerate(keys(20))
        for trial in range(2)
    ]
    result = aggregate(stage, rows, planned=keys(20), live=reversed(rows))
    kept = [TrialRow.from_dict(json.loads(json.dumps(one.to_dict()))) for one in reversed(rows)]
    assert aggregate(stage, kept, planned=keys(20), live=rows) == result


def test_without_a_live_release_a_drop_is_left_out_and_with_other_cases_inconclusive() -> None:
    first = exact([1.0] * 100, min=0.8, max_drop=0.01)
    assert first.verdict is Verdict.PASS
    assert "Nothing is live" in first.notes[0]
    other = exact([1.0] * 100, live=[], min=0.8, max_drop=0.01)
    assert other.verdict is Verdict.INCONCLUSIVE


def test_errors_are_never_fails_and_too_many_make_the_stage_an_error() -> None:
    stage = stage_of({"scorer": "exact_match", "min": 0.8})
    good = rows_of([1.0] * 97)
    three = [failed(key) for key in keys(100)[97:]]
    few = aggregate(stage, [*good, *three], planned=keys(100))
    assert (few.verdict, few.counts[CaseState.ERROR], few.counts[CaseState.FAIL]) == (Verdict.PASS, 3, 0)
    assert few.scorers[0].cases == 97
    many = aggregate(stage, [*good[:80], *(failed(key) for key in keys(100)[80:])], planned=keys(100))
    assert (many.verdict, many.error_share) == (Verdict.ERROR, 0.2)
    just = [*good[:95], *(failed(key) for key in keys(100)[95:])]
    assert aggregate(stage, just, planned=keys(100)).verdict is Verdict.PASS
    nothing = aggregate(stage, [failed(key) for key in keys(9)], planned=keys(9))
    assert (nothing.verdict, nothing.scorers[0].interval, nothing.score) == (Verdict.ERROR, None, None)


def test_a_scorer_that_broke_is_an_error_of_the_case() -> None:
    broken = replace(row("case-000", 1.0), crashed=("exact_match",))
    result = aggregate(stage_of(), [broken], planned=["case-000"])
    assert result.cases[0].state is CaseState.ERROR


def test_cases_that_were_not_asked_are_skipped_and_forbid_a_pass() -> None:
    stage = stage_of({"scorer": "exact_match", "min": 0.8})
    part = aggregate(stage, rows_of([1.0] * 99), planned=keys(100))
    assert (part.verdict, part.counts[CaseState.SKIPPED]) == (Verdict.INCONCLUSIVE, 1)
    assert "1 of 100 cases" in part.notes[0]
    assert aggregate(stage, rows_of([0.0] * 99), planned=keys(100)).verdict is Verdict.FAIL
    nothing = aggregate(stage, [], planned=keys(5))
    assert (nothing.verdict, nothing.error_share) == (Verdict.INCONCLUSIVE, 0.0)


def test_cases_that_a_scorer_has_nothing_to_say_of_are_left_out() -> None:
    result = exact([1.0] * 60 + [None] * 5, min=0.8)
    assert result.verdict is Verdict.PASS
    assert (result.scorers[0].cases, result.scorers[0].not_applicable) == (60, 5)
    assert result.counts[CaseState.SKIPPED] == 5


@pytest.mark.parametrize(
    ("reducer", "values"),
    [
        ("mean", (1.0, 2 / 3, 1 / 3, 0.0)),
        ("all", (1, 0, 0, 0)),
        ("any", (1, 1, 1, 0)),
        ("majority", (1, 1, 0, 0)),
    ],
)
def test_trials_are_reduced_before_cases_are_counted(reducer: str, values: tuple[float, ...]) -> None:
    stage = stage_of({"scorer": "exact_match", "min": 0.5, "reducer": reducer}, trials=3)
    rows = [
        row(key, float(trial < 3 - wrong), trial=trial)
        for wrong, key in enumerate(keys(4))
        for trial in range(3)
    ]
    result = aggregate(stage, rows, planned=keys(4))
    found = {case.key: case.reduced["exact_match"].value for case in result.cases}
    assert [found[key] for key in keys(4)] == pytest.approx(list(values))
    assert result.scorers[0].cases == 4


def test_an_even_split_is_no_majority() -> None:
    stage = stage_of({"scorer": "exact_match", "min": 0.5, "reducer": "majority"}, trials=2)
    rows = [row("case-000", 1.0, trial=0), row("case-000", 0.0, trial=1)]
    assert aggregate(stage, rows, planned=["case-000"]).counts[CaseState.FAIL] == 1


def test_a_case_counts_once_all_its_trials_were_scored() -> None:
    stage = stage_of({"scorer": "exact_match", "min": 0.5}, trials=2)
    rows = [row("case-000", 1.0), failed("case-000", 1), row("case-001", 1.0)]
    result = aggregate(stage, rows, planned=keys(2))
    assert [case.state for case in result.cases] == [CaseState.ERROR, CaseState.SKIPPED]
    assert result.scorers[0].cases == 0


def test_a_later_row_replaces_an_earlier_one_of_the_same_trial() -> None:
    result = aggregate(stage_of(), [failed("case-000"), row("case-000", 1.0)], planned=["case-000"])
    assert result.cases[0].state is CaseState.PASS
    assert result.usage.cost_nanos == 5


def test_weights_count_in_the_score_of_cases_and_stage() -> None:
    stage = stage_of({"scorer": "exact_match", "weight": 3, "min": 0.1}, {"scorer": "token_f1"})
    rows = [
        replace(one, scores={**one.scores, **other.scores})
        for one, other in zip(rows_of([1.0, 0.0]), rows_of([0.5, 0.5], scorer="token_f1"), strict=True)
    ]
    result = aggregate(stage, rows, planned=keys(2))
    assert [(case.key, case.score) for case in result.cases] == [("case-001", 0.125), ("case-000", 0.875)]
    assert result.score == pytest.approx(0.5)


def test_the_worst_cases_come_first() -> None:
    stage = stage_of({"scorer": "token_f1", "params": {"pass_from": 0.5}, "min": 0.1})
    rows = [
        row("good", 0.9, scorer="token_f1", passed=True),
        row("bad", 0.4, scorer="token_f1", passed=False),
        row("worst", 0.1, scorer="token_f1", passed=False),
        failed("broken"),
        row("fair", 0.6, scorer="token_f1", passed=True),
    ]
    result = aggregate(stage, rows, planned=["good", "fair", "unasked", "broken", "bad", "worst"])
    assert [case.key for case in result.cases] == ["worst", "bad", "broken", "unasked", "fair", "good"]


def test_the_corpus_score_comes_with_its_signature() -> None:
    stage = stage_of({"scorer": "bleu", "min": 0.1})
    golds = ["the cat sat on the mat", "a dog lay under the rug"]
    texts = ["the cat sat on a mat", "the dog lay under the rug today"]
    rows = [
        score_answer(stage, PlainCase(expected=gold), Answer(text), key=key, trial=0)
        for key, gold, text in zip(keys(2), golds, texts, strict=True)
    ]
    pooled = aggregate(stage, rows, planned=keys(2)).scorers[0].pooled
    assert pooled is not None
    assert pooled.value == pytest.approx(sacrebleu.corpus_bleu(texts, [golds]).score / 100)
    assert "tok:13a" in pooled.signature


VALUES = st.lists(st.none() | st.sampled_from([0.0, 1.0]) | st.floats(0, 1), max_size=25)


@given(values=VALUES, live=st.none() | VALUES, errors=st.integers(0, 3), extra=st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_no_rows_whatever_give_anything_but_a_verdict_and_plain_numbers(
    values: Sequence[float | None], live: Sequence[float | None] | None, errors: int, extra: int
) -> None:
    stage = stage_of({**F1, "max_drop": 0.05})
    planned = keys(len(values) + errors + extra)
    rows = rows_of(values, scorer="token_f1")
    rows += [failed(key) for key in planned[len(values) : len(values) + errors]]
    result = aggregate(
        stage, rows, planned=planned, live=None if live is None else rows_of(live, scorer="token_f1")
    )
    canonical_json(result.to_dict())
    assert sum(result.counts.values()) == len(planned) == len(result.cases)
    for interval in (result.scorers[0].interval, result.scorers[0].drop):
        if interval is not None:
            assert all(map(math.isfinite, (interval.lower, interval.estimate, interval.upper)))
            assert interval.lower <= interval.estimate + 1e-9
            assert interval.estimate <= interval.upper + 1e-9
    if extra:
        assert result.verdict is not Verdict.PASS
