"""A whole run against a provider over HTTP, and the document that it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from evals.scorers import Answer, Case
from evals.suites import (
    Budget,
    CaseState,
    Pace,
    Purse,
    StageRecord,
    StageRun,
    Stop,
    TrialRow,
    aggregate,
    parse_suite,
    planned,
    report_body,
)
from evals.suites.report import MAX_FULL_CASES
from promptstore.core import clock
from promptstore.core.digests import canonical_json, digest_json
from promptstore.core.errors import InvalidInput
from providers import ChatRequest, build
from providers.scripted import ScriptedServer
from tests.evals.suites.suite_cast import cases, collect, keys, row, suite

MODEL = "smollm2-135m"
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"models": {MODEL: {"answer": "right"}}}) as running:
        yield running


async def rows_from(server: ScriptedServer, raw: dict[str, Any], *, n: int = 40) -> list[TrialRow]:
    """All rows of the one stage of a suite, asked over HTTP."""
    provider = build("openai_http", base_url=server.base_url, allow_private=True)

    async def ask(case: Case, _: int) -> Answer:
        messages = [{"role": "user", "content": case.variables["question"]}]
        return Answer.of(await provider.chat(ChatRequest(MODEL, messages)), cost_nanos=100)

    run = StageRun(
        parse_suite(raw).stages[0],
        cases(n),
        ask=ask,
        purse=Purse(Budget()),
        pace=Pace(first_pause_s=0.0),
    )
    try:
        return await collect(run)
    finally:
        await provider.aclose()


async def test_a_stage_asked_over_http_passes_and_its_report_has_a_digest(server: ScriptedServer) -> None:
    spec = suite({"scorer": "exact_match", "min": 0.8}, {"scorer": "latency"}, sample={"max_cases": 40})
    stage = spec.stages[0]
    rows = await rows_from(server, spec.to_dict())
    assert server.calls(MODEL) == 40
    result = aggregate(stage, rows, planned=planned(stage, keys(40)))
    started = clock.now()
    body = report_body(
        spec,
        [StageRecord(result, rows, DIGEST, stopped=Stop.COST)],
        subject={"release": "support@1.4.0"},
        started=started,
        finished=started,
    )
    assert digest_json(body) == digest_json(json.loads(canonical_json(body)))
    assert (body["verdict"], body["suite"]["digest"], body["not_run"]) == ("pass", spec.digest, [])
    (written,) = body["stages"]
    assert written["dataset"] == {"version": "faq@1.2.0", "digest": DIGEST}
    assert written["counts"] == {"pass": 40, "fail": 0, "error": 0, "skipped": 0}
    assert written["usage"]["cost_nanos"] == 4_000
    assert written["stopped"] == "cost"
    assert written["usage"]["input_tokens"] == 40
    assert written["scorers"][0]["limits"][0]["detail"].startswith(
        "1 (0.9124 to 1) over 40 cases; at least 0.8."
    )
    trial = written["cases"][0]["trials"][0]
    assert (trial["output"], trial["provider_model"], trial["attempts"]) == ("right", MODEL, 1)
    assert body["versions"]["sacrebleu"]


async def test_a_provider_that_is_limited_at_first_costs_attempts_and_no_cases(
    server: ScriptedServer,
) -> None:
    server.script({"models": {MODEL: {"status": 429, "after_calls": 3, "then": {"answer": "right"}}}})
    rows = await rows_from(server, suite().to_dict(), n=10)
    assert not any(one.in_error for one in rows)
    assert sum(one.attempts for one in rows) == 13


async def test_a_provider_that_breaks_down_makes_errors_and_never_fails(server: ScriptedServer) -> None:
    server.script({"models": {MODEL: {"answer": "right", "after_calls": 30, "then": {"status": 500}}}})
    spec = suite()
    rows = await rows_from(server, spec.to_dict())
    result = aggregate(spec.stages[0], rows, planned=keys(40))
    assert result.verdict == "error"
    assert result.counts == {CaseState.PASS: 30, CaseState.ERROR: 10}


async def test_a_model_that_got_worse_is_seen_beside_the_live_one(server: ScriptedServer) -> None:
    spec = suite({"scorer": "exact_match", "min": 0.5, "max_drop": 0.05})
    live = await rows_from(server, spec.to_dict())
    server.script(
        {"models": {MODEL: {"answer": "right", "invalid_share_bp": 3_000, "invalid_answer": "wrong"}}}
    )
    rows = await rows_from(server, spec.to_dict())
    result = aggregate(spec.stages[0], rows, planned=keys(40), live=live)
    kinds = {judged.kind: judged.verdict for judged in result.scorers[0].judged}
    assert kinds == {"min": "pass", "max_drop": "fail"}
    assert result.cases[0].state == "fail"


def test_the_worst_cases_stand_first_with_every_trial() -> None:
    spec = suite({"scorer": "exact_match", "min": 0.5}, trials=2)
    rows = [
        row(key, float(n != 3 or trial), trial=trial) for n, key in enumerate(keys(5)) for trial in (1, 0)
    ]
    result = aggregate(spec.stages[0], rows, planned=keys(5))
    now = clock.now()
    body = report_body(spec, [StageRecord(result, iter(rows), DIGEST)], subject={}, started=now, finished=now)
    first = body["stages"][0]["cases"][0]
    assert (first["key"], first["state"], first["score"]) == ("case-003", "fail", 0.5)
    assert [trial["trial"] for trial in first["trials"]] == [0, 1]
    assert first["trials"][0]["scores"]["exact_match"]["reason"] == "Because."


def test_the_better_cases_of_a_large_run_keep_their_numbers_without_the_texts() -> None:
    spec = suite()
    rows = [row(key, float(n > 9)) for n, key in enumerate(keys(MAX_FULL_CASES + 5))]
    result = aggregate(spec.stages[0], rows, planned=keys(MAX_FULL_CASES + 5))
    now = clock.now()
    body = report_body(spec, [StageRecord(result, rows, DIGEST)], subject={}, started=now, finished=now)
    written = body["stages"][0]["cases"]
    assert len(written) == MAX_FULL_CASES + 5
    assert written[MAX_FULL_CASES - 1]["trials"][0]["output"] == "x"
    assert "output" not in written[MAX_FULL_CASES]["trials"][0]
    assert written[-1]["trials"][0]["scores"] == {"exact_match": {"value": 1.0, "passed": True}}


def test_a_suite_says_which_stages_did_not_run() -> None:
    spec = suite()
    now = clock.now()
    body = report_body(spec, [], subject={}, started=now, finished=now)
    assert (body["verdict"], body["not_run"]) == ("inconclusive", ["quality"])


def test_a_suite_does_not_pass_before_its_last_stage() -> None:
    raw = suite(name="first").to_dict()
    spec = parse_suite(
        {**raw, "stages": [{"kind": "static"}, *raw["stages"], {**raw["stages"][0], "name": "second"}]}
    )
    now = clock.now()

    def body(*names: str) -> dict[str, Any]:
        stages = [stage for stage in spec.stages if stage.name in names]
        rows = [row(key, 1.0) for key in keys(40)]
        records = [StageRecord(aggregate(stage, rows, planned=keys(40)), rows, DIGEST) for stage in stages]
        return report_body(spec, records, subject={}, started=now, finished=now)

    assert (body("first")["verdict"], body("first")["not_run"]) == ("inconclusive", ["second"])
    assert (body("first", "second")["verdict"], body("first", "second")["not_run"]) == ("pass", [])


def test_a_stage_that_the_suite_does_not_have_is_refused() -> None:
    other = suite(name="other")
    result = aggregate(other.stages[0], [], planned=[])
    now = clock.now()
    with pytest.raises(InvalidInput, match="other"):
        report_body(suite(), [StageRecord(result, [], DIGEST)], subject={}, started=now, finished=now)
