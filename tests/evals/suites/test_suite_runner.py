"""Asking: a few at a time, inside the budget, going on where an earlier run ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from evals.scorers import Answer, Case, Score, scorer_by_name
from evals.suites import (
    Budget,
    CaseState,
    Pace,
    Progress,
    Purse,
    StageRun,
    StageSpec,
    Stop,
    SuiteCase,
    TrialRow,
    aggregate,
    planned,
    settled,
)
from providers import FailureKind, ProviderError
from tests.evals.scorers.scored_cases import PlainCase
from tests.evals.suites.suite_cast import Script, cases, collect, keys, right, stage_of

QUICK = Pace(first_pause_s=0.0, max_pause_s=0.0)


def run_of(stage: StageSpec, asked: list[SuiteCase], script: Any, **more: Any) -> StageRun:
    more.setdefault("purse", Purse(Budget()))
    more.setdefault("pace", QUICK)
    return StageRun(stage, asked, ask=script, **more)


async def test_every_trial_of_every_case_gives_one_scored_row() -> None:
    script = Script(lambda key, _: Answer("right" if key < "case-005" else "wrong", latency_ms=7))
    stage = stage_of(trials=2)
    rows = await collect(run_of(stage, cases(10), script))
    assert sorted((row.case, row.trial) for row in rows) == [(key, n) for key in keys(10) for n in (0, 1)]
    result = aggregate(stage, rows, planned=planned(stage, keys(10)))
    assert (result.counts[CaseState.PASS], result.counts[CaseState.FAIL]) == (5, 5)
    assert result.usage.p50_latency_ms == 7
    assert result.usage.unpriced == 20


async def test_no_more_are_under_way_than_the_pace_allows_and_cases_are_asked_one_after_the_other() -> None:
    script = Script(right)
    await collect(run_of(stage_of(trials=3), cases(8), script, pace=Pace(concurrency=3)))
    assert script.most_under_way == 3
    assert script.asked == [(key, n) for key in keys(8) for n in range(3)]


async def test_a_passing_trouble_is_tried_again_and_a_final_one_is_not() -> None:
    tries: dict[str, int] = {}

    def flaky(key: str, _: int) -> Answer | Exception:
        tries[key] = tries.get(key, 0) + 1
        if key == "case-001":
            return ProviderError(FailureKind.BAD_REQUEST, "no such parameter")
        if key == "case-002" or tries[key] < 3:
            return ProviderError(FailureKind.RATE_LIMITED, "slow down", retry_after_s=30)
        return Answer("right")

    rows = {row.case: row for row in await collect(run_of(stage_of(), cases(3), Script(flaky)))}
    assert tries == {"case-000": 3, "case-001": 1, "case-002": 3}
    assert (rows["case-000"].failure, rows["case-000"].attempts) == ("", 3)
    assert (rows["case-001"].failure, rows["case-001"].detail) == ("bad_request", "no such parameter")
    assert rows["case-002"].failure == "rate_limited"


async def test_a_case_that_cannot_be_put_or_scored_does_not_end_the_run() -> None:
    def broken(key: str, _: int) -> Answer | Exception:
        return KeyError("tone") if key == "case-001" else Answer("right" if key != "case-002" else "boom")

    def score(case: Case, answer: Answer, params: Any) -> Score:
        if answer.text == "boom":
            raise RuntimeError("no")
        return Score(float("nan") if case.variables["question"] == "case-003" else 1.0, True, "Fine.")

    stage = stage_of()
    breaking = replace(stage.scorers[0], scorer=replace(scorer_by_name("exact_match"), score=score))
    stage = replace(stage, scorers=(breaking,))
    rows = {row.case: row for row in await collect(run_of(stage, cases(5), Script(broken)))}
    assert (rows["case-001"].failure, rows["case-001"].in_error) == ("not_asked", True)
    assert "KeyError" in rows["case-001"].detail
    assert rows["case-002"].crashed == rows["case-003"].crashed == ("exact_match",)
    assert not rows["case-004"].in_error


async def test_a_run_goes_on_where_an_earlier_one_ended() -> None:
    stage = stage_of(trials=2)
    first = Script(right)
    part = await collect(run_of(stage, cases(10), first), at_most=7)
    second = Script(right)
    run = run_of(stage, cases(10), second, done={(row.case, row.trial) for row in part})
    rest = await collect(run)
    assert len(rest) == 13
    assert not {(row.case, row.trial) for row in part} & set(second.asked)
    result = aggregate(stage, [*part, *rest], planned=keys(10))
    assert result.counts[CaseState.PASS] == 10


async def test_closing_the_rows_ends_the_calls_under_way() -> None:
    ended = asyncio.Event()

    async def hanging(case: Case, _: int) -> Answer:
        if case.variables["question"] == "case-000":
            return Answer("right")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    rows = await collect(run_of(stage_of(), cases(3), hanging), at_most=1)
    assert [row.case for row in rows] == ["case-000"]
    assert ended.is_set()


async def test_a_cancelled_run_ends_after_what_is_under_way() -> None:
    script = Script(right)
    run = run_of(
        stage_of(), cases(50), script, pace=Pace(concurrency=2), cancelled=lambda: len(script.asked) >= 6
    )
    rows = await collect(run)
    assert run.stopped is Stop.CANCELLED
    assert 6 <= len(rows) <= 8


async def test_money_ends_a_run_with_no_more_over_than_was_under_way() -> None:
    purse = Purse(Budget(max_cost_nanos=10_000))
    run = run_of(stage_of(), cases(50), Script(right), purse=purse, pace=Pace(concurrency=4))
    rows = await collect(run)
    assert run.stopped is Stop.COST
    assert 10 <= len(rows) <= 13
    assert purse.cost_nanos == 1_000 * len(rows)
    result = aggregate(stage_of(), rows, planned=keys(50))
    assert result.counts[CaseState.SKIPPED] == 50 - len(rows)


async def test_a_budget_that_suffices_to_the_last_trial_ends_nothing() -> None:
    purse = Purse(Budget(max_cost_nanos=6_000, max_cases=3))
    script = Script(right)
    run = run_of(stage_of(trials=2), cases(3), script, purse=purse, cancelled=lambda: len(script.asked) == 6)
    assert len(await collect(run)) == 6
    assert (run.stopped, purse.cases, purse.cost_nanos) == (None, 3, 6_000)


async def test_a_run_that_goes_on_asks_errors_again() -> None:
    broken = Script(
        lambda key, trial: (
            ProviderError(FailureKind.UNAUTHORIZED, "no") if key == "case-001" else right(key, trial)
        )
    )
    rows = await collect(run_of(stage_of(), cases(3), broken))
    again = Script(right)
    rows += await collect(run_of(stage_of(), cases(3), again, done=settled(rows)))
    assert again.asked == [("case-001", 0)]
    assert aggregate(stage_of(), rows, planned=keys(3)).counts[CaseState.PASS] == 3


async def test_cases_are_counted_over_all_stages_of_a_run() -> None:
    purse = Purse(Budget(max_cases=5))
    first = run_of(stage_of(trials=2), cases(3), Script(right), purse=purse)
    assert len(await collect(first)) == 6
    assert first.stopped is None
    second = run_of(stage_of(trials=2), cases(3), Script(right), purse=purse)
    assert len(await collect(second)) == 4
    assert second.stopped is Stop.CASES


async def test_time_ends_a_run_and_its_hanging_calls() -> None:
    async def hanging(case: Case, _: int) -> Answer:
        if case.variables["question"] > "case-001":
            await asyncio.Event().wait()
        return Answer("right")

    purse = Purse(Budget(max_seconds=60), seconds=59.0)
    run = run_of(stage_of(), cases(9), hanging, purse=purse)
    rows = await collect(run)
    assert run.stopped is Stop.TIME
    assert {row.case for row in rows} == {"case-000", "case-001"}


async def test_a_provider_that_is_away_is_not_asked_everything() -> None:
    away = Script(lambda *_: ProviderError(FailureKind.UNAVAILABLE, "HTTP 503"))
    run = run_of(stage_of(), cases(100), away, pace=Pace(attempts=1, give_up_after=10, concurrency=2))
    rows = await collect(run)
    assert run.stopped is Stop.SILENT
    assert 10 <= len(rows) <= 12
    result = aggregate(stage_of(), rows, planned=keys(100))
    assert (result.verdict, result.error_share) == ("error", 1.0)


async def test_progress_is_told_row_by_row_with_what_was_there_before() -> None:
    told: list[Progress] = []

    def fails_once(key: str, trial: int) -> Answer | Exception:
        wrong = (key, trial) == ("case-001", 1)
        return ProviderError(FailureKind.MALFORMED, "no JSON") if wrong else right(key, trial)

    await collect(
        run_of(stage_of(trials=2), cases(2), Script(fails_once), done={("case-000", 0)}, progress=told.append)
    )
    assert [one.done for one in told] == [2, 3, 4]
    assert told[-1] == Progress(done=4, total=4, errors=1, cost_nanos=2_000)


async def test_answers_are_kept_redacted_and_cut_and_read_back_the_same() -> None:
    secret = "Write to jane.doe@example.com. " + "x" * 5_000
    case = SuiteCase("case-000", PlainCase(expected=secret, variables={"question": "case-000"}))
    stage = stage_of({"scorer": "exact_match", "min": 0.5})
    rows = await collect(run_of(stage, [case], Script(lambda *_: Answer(secret, input_tokens=3))))
    assert rows[0].scores["exact_match"].passed is True
    assert len(rows[0].output) <= 2_000
    assert "jane.doe" not in str(rows[0].to_dict())
    assert TrialRow.from_dict(rows[0].to_dict()) == rows[0]
