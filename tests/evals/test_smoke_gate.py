from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evals.services import run_gate
from providers.scripted import ScriptedServer
from tests.cast import Cast
from tests.evals.gate_subjects import GOOD, PROMPT, row, rows, subject_of

MODEL = "smollm2-135m"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"models": {MODEL: {"answer": GOOD}}}) as running:
        yield running


def behave(server: ScriptedServer, **behaviour: Any) -> None:
    server.script({"models": {MODEL: behaviour}})


def smoke(cast: Cast, server: ScriptedServer, params: dict[str, Any] | None = None, **changes: Any) -> Any:
    return run_gate(
        name="smoke", subject=subject_of(cast, base_url=server.base_url, **changes), params=params
    )


def test_a_model_that_answers_well_passes_with_its_counts(cast: Cast, server: ScriptedServer) -> None:
    report = smoke(cast, server)
    assert set(rows(report).values()) == {"pass"}
    assert server.calls(MODEL) == 3
    assert row(report, "output_valid")["detail"].startswith("3 of 3 valid")
    assert row(report, "output_valid")["evidence"]["lower"] < 1.0
    assert [case["id"] for case in report.body["cases"]] == ["Example 1", "Example 2", "Example 3"]
    assert report.body["cases"][0]["output"] == GOOD


def test_the_call_is_the_one_the_data_plane_makes(cast: Cast, server: ScriptedServer) -> None:
    smoke(cast, server)
    sent = server.app.recent[0]["body"]
    assert sent["model"] == MODEL
    assert sent["messages"][0] == {
        "role": "system",
        "content": "Answer questions about configuration entries.",
    }
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (0.2, 0.9, 150)
    assert sent["response_format"]["json_schema"]["schema"] == PROMPT["output_schema"]
    assert sent["stream"] is False


def test_invalid_outputs_fail_unless_the_policy_allows_a_share(cast: Cast, server: ScriptedServer) -> None:
    behave(server, answer=GOOD, then={"answer": "no JSON"}, after_calls=2)
    subject = subject_of(cast, base_url=server.base_url)
    report = run_gate(name="smoke", subject=subject)
    assert (report.verdict, rows(report)["output_valid"]) == ("fail", "fail")
    assert row(report, "output_valid")["evidence"]["good"] == 2
    behave(server, answer=GOOD, then={"answer": "no JSON"}, after_calls=2)
    report = run_gate(name="smoke", subject=subject, params={"min_valid_share": 0.6})
    assert report.verdict == "pass"
    assert row(report, "output_valid")["detail"] == "2 of 3 valid; at least 2 needed (60%)."
    assert sorted(case["verdict"] for case in report.body["cases"]) == ["fail", "pass", "pass"]


def test_an_endpoint_that_is_away_is_an_error_after_bounded_tries(cast: Cast, server: ScriptedServer) -> None:
    behave(server, status=503)
    report = smoke(cast, server, {"attempts": 2})
    assert (report.verdict, rows(report)["answered"]) == ("error", "error")
    assert server.calls(MODEL) == 6
    assert {rows(report)[name] for name in ("output_valid", "latency", "policy")} == {"inconclusive"}
    assert report.body["cases"][0]["failure"] == "unavailable"


def test_a_passing_trouble_is_tried_again(cast: Cast, server: ScriptedServer) -> None:
    behave(server, status=429, after_calls=2, then={"answer": GOOD})
    report = smoke(cast, server)
    assert report.verdict == "pass"
    assert sum(case["attempts"] for case in report.body["cases"]) == 5


def test_nothing_listening_is_an_error_and_not_a_failure(cast: Cast) -> None:
    report = run_gate(name="smoke", subject=subject_of(cast), params={"attempts": 1})
    assert report.verdict == "error"


def test_a_request_that_the_provider_refuses_is_the_releases_fault(
    cast: Cast, server: ScriptedServer
) -> None:
    behave(server, status=400)
    report = smoke(cast, server)
    assert (report.verdict, rows(report)["answered"]) == ("fail", "fail")
    assert server.calls(MODEL) == 3


def test_a_model_too_slow_for_its_config_fails_and_a_dead_one_is_an_error(
    cast: Cast, server: ScriptedServer
) -> None:
    limits = {"limits": {"timeout_ms": 300, "max_output_tokens": 50}}
    behave(server, answer=GOOD, after_calls=2, then={"hang": True})
    subject = subject_of(cast, base_url=server.base_url, config=limits)
    report = run_gate(name="smoke", subject=subject, params={"attempts": 1})
    assert (rows(report)["latency"], rows(report)["answered"], report.verdict) == ("fail", "fail", "fail")
    behave(server, hang=True)
    report = run_gate(name="smoke", subject=subject, params={"attempts": 1})
    assert (rows(report)["answered"], report.verdict) == ("error", "error")


def test_a_latency_budget_below_the_timeout_counts(cast: Cast, server: ScriptedServer) -> None:
    behave(server, answer=GOOD, latency_ms=120)
    report = smoke(cast, server, {"max_latency_ms": 50})
    assert (rows(report)["latency"], report.verdict) == ("fail", "fail")


def test_answers_cut_short_are_not_valid(cast: Cast, server: ScriptedServer) -> None:
    behave(server, answer=GOOD, finish_reason="length")
    report = smoke(cast, server)
    assert (rows(report)["complete"], rows(report)["output_valid"]) == ("fail", "fail")


def test_an_answer_that_the_filter_would_withhold_fails(cast: Cast, server: ScriptedServer) -> None:
    behave(server, answer='{"answer": "the Launch\\u00a0CODE is 1234"}')
    report = smoke(cast, server, {"min_valid_share": 0})
    assert (rows(report)["policy"], report.verdict) == ("fail", "fail")
    assert row(report, "policy")["evidence"]["hits"]["Example 1"] == ["secret"]


def test_secrets_in_answers_do_not_reach_the_report(cast: Cast, server: ScriptedServer) -> None:
    behave(server, answer='{"answer": "write to jane.doe@example.org"}')
    report = smoke(cast, server)
    assert "jane.doe" not in str(report.body)


def test_without_examples_an_input_is_made_from_the_schema(cast: Cast, server: ScriptedServer) -> None:
    report = smoke(cast, server, examples=[{"name": "Unfit", "variables": {"question": "x"}}])
    assert report.verdict == "pass"
    assert [case["id"] for case in report.body["cases"]] == ["Made from the input schema"]


def test_without_any_input_nothing_can_be_said(cast: Cast, server: ScriptedServer) -> None:
    schema = {
        "type": "object",
        "properties": {"question": {"type": "string", "pattern": "^[0-9]{4}$"}},
        "required": ["question"],
    }
    report = smoke(cast, server, examples=[], prompt={"input_schema": schema})
    assert (report.verdict, rows(report)) == ("inconclusive", {"called": "inconclusive"})
    assert server.calls(MODEL) == 0


def test_a_private_address_that_is_not_allowed_is_an_error(cast: Cast, server: ScriptedServer) -> None:
    from registry.models import Endpoint

    subject = subject_of(cast, base_url=server.base_url)
    Endpoint.objects.update(allow_private=False)
    report = run_gate(name="smoke", subject=subject, params={"attempts": 1})
    assert report.verdict == "error"
    assert server.calls(MODEL) == 0


def test_the_number_of_cases_is_bounded(cast: Cast, server: ScriptedServer) -> None:
    smoke(cast, server, {"max_cases": 2})
    assert server.calls(MODEL) == 2
