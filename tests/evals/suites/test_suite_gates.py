from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evals.gates.base import GateSubject
from evals.models import GateReport
from evals.services import check_params, run_gate
from promptstore.core.digests import digest_json
from promptstore.core.errors import InvalidInput, NotFound
from providers.scripted import ScriptedServer
from registry.errors import MutableName
from registry.models import Endpoint
from tests.cast import Cast
from tests.evals.gate_subjects import GOOD, row, rows, subject_of
from tests.evals.suites.published import EXACT, freeze, publish, suite_body

MODEL = "smollm2-135m"
PARAMS = {"suite": "support@1.0.0"}
FITS: dict[str, Any] = {"scorer": "schema_valid", "min": 1}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"models": {MODEL: {"answer": GOOD}}}) as running:
        yield running


def behave(server: ScriptedServer, **behaviour: Any) -> None:
    server.script({"models": {MODEL: behaviour}})


def gate(subject: GateSubject, name: str = "functional", **params: Any) -> GateReport:
    return run_gate(name=name, subject=subject, params={**PARAMS, **params})


def made(cast: Cast, server: ScriptedServer, *scorers: dict[str, Any], **stage: Any) -> GateSubject:
    freeze(cast, expected={"answer": "so"})
    publish(cast, suite_body(*(scorers or (EXACT, FITS)), **stage), version="1.0.0")
    return subject_of(cast, base_url=server.base_url)


def test_answers_that_are_right_pass_and_the_report_says_of_what(cast: Cast, server: ScriptedServer) -> None:
    report = gate(made(cast, server))
    assert (report.verdict, rows(report)) == ("pass", {"asked": "pass", "stage-functional": "pass"})
    assert server.calls(MODEL) == 4
    suite = report.body["suite_report"]
    stage = suite["stages"][0]
    assert suite["subject"]["suite"]["version"] == "support@1.0.0"
    assert stage["counts"]["pass"] == 4
    assert stage["dataset"]["version"] == "held-out@1.0.0"
    assert stage["dataset"]["digest"] == row(report, "stage-functional")["evidence"]["dataset_digest"]
    assert stage["scorers"][0]["limits"][0]["verdict"] == "pass"
    assert report.digest == digest_json(report.body)


def test_the_report_page_says_what_each_stage_found(
    client: Client, cast: Cast, server: ScriptedServer
) -> None:
    report = gate(made(cast, server))
    client.force_login(cast.users["auditor"])
    page = client.get(reverse("evals:report", args=[report.digest])).content.decode()
    assert "Stage functional" in page
    assert "4 of 4 cases pass." in page
    assert report.body["suite_report"]["stages"][0]["dataset"]["digest"] in page


def test_a_scorer_without_a_schema_takes_the_prompts(cast: Cast, server: ScriptedServer) -> None:
    subject = made(cast, server, FITS)
    behave(server, answer='{"other": 1}')
    report = gate(subject)
    assert report.verdict == "fail"
    scorer = report.body["suite_report"]["suite"]["stages"][0]["scorers"][0]
    assert scorer["params"]["schema"]["required"] == ["answer"]


def test_wrong_answers_fail_and_the_worst_cases_come_first(cast: Cast, server: ScriptedServer) -> None:
    subject = made(cast, server)
    behave(server, answer=GOOD, then={"answer": '{"answer": "no"}'}, after_calls=3)
    report = gate(subject, concurrency=1)
    assert report.verdict == "fail"
    states = [case["state"] for case in report.body["suite_report"]["stages"][0]["cases"]]
    assert states == ["fail", "pass", "pass", "pass"]
    assert "1 fail." in row(report, "stage-functional")["detail"]


def test_a_model_that_does_not_answer_is_an_error_and_no_fail(cast: Cast, server: ScriptedServer) -> None:
    subject = made(cast, server)
    behave(server, status=503)
    report = gate(subject, attempts=1)
    assert (report.verdict, rows(report)["stage-functional"]) == ("error", "error")


def test_a_budget_that_ends_leaves_it_undecided(cast: Cast, server: ScriptedServer) -> None:
    report = gate(made(cast, server), max_cases=2)
    assert report.verdict == "inconclusive"
    assert "the budget of cases was used up" in row(report, "stage-functional")["detail"]
    assert server.calls(MODEL) == 2


def test_a_case_that_the_prompt_does_not_take_is_an_error(cast: Cast, server: ScriptedServer) -> None:
    freeze(cast, variables=[{"query": "?"}], expected="x")
    publish(cast, suite_body(EXACT), version="1.0.0")
    report = gate(subject_of(cast, base_url=server.base_url))
    assert report.verdict == "error"
    trial = report.body["suite_report"]["stages"][0]["cases"][0]["trials"][0]
    assert trial["failure"] == "variables_do_not_fit"
    assert server.calls(MODEL) == 0


def test_what_the_live_release_answers_better_breaks_the_limit_on_a_drop(
    cast: Cast, server: ScriptedServer
) -> None:
    with ScriptedServer({"models": {MODEL: {"answer": '{"answer": "no"}'}}}) as worse:
        limit = {**EXACT, "max_drop": 0.1, "least_cases": 4}
        del limit["min"]
        subject = made(cast, server, limit, kind="quality")
        candidate = replace(subject, baseline=subject)
        report = gate(candidate, "quality")
        assert report.verdict == "pass"
        assert row(report, "stage-quality")["evidence"]["live"] == {
            "trials": 4,
            "errors": 0,
            "stopped": None,
        }
        other = Endpoint.objects.create(
            project=cast.project,
            name="worse",
            protocol="openai_http",
            base_url=worse.base_url,
            allow_private=True,
        )
        release = {
            **subject.release,
            "models": {"primary": {**subject.primary_model, "endpoint": str(other.pk)}},
        }
        dropped = gate(replace(subject, release=release, baseline=subject), "quality")
    assert dropped.verdict == "fail"
    assert dropped.body["suite_report"]["stages"][0]["scorers"][0]["drop"]["estimate"] == 1.0


def test_cases_of_other_features_are_not_asked(cast: Cast, server: ScriptedServer) -> None:
    report = gate(replace(made(cast, server), feature="another"))
    assert server.calls(MODEL) == 4, "cases without a feature are for any"
    assert row(report, "stage-functional")["evidence"]["of_other_features"] == 0


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, InvalidInput),
        ({"suite": "support"}, MutableName),
        ({"suite": "support@latest"}, InvalidInput),
        ({"suite": "support@9.0.0"}, NotFound),
        ({"suite": "support@1.0.0", "max_seconds": 10_000}, InvalidInput),
        ({"suite": "support@1.0.0", "mood": 1}, InvalidInput),
    ],
)
def test_a_policy_pins_a_suite_that_is_there(
    cast: Cast, params: dict[str, Any], error: type[Exception]
) -> None:
    freeze(cast)
    publish(cast, suite_body(EXACT), version="1.0.0")
    with pytest.raises(error):
        check_params(project_id=cast.project.id, name="functional", params=params)


def test_a_suite_without_stages_of_the_gates_kind_is_refused(cast: Cast) -> None:
    freeze(cast)
    publish(cast, suite_body(EXACT), version="1.0.0")
    with pytest.raises(InvalidInput) as refused:
        check_params(project_id=cast.project.id, name="quality", params=PARAMS)
    assert refused.value.detail == "support@1.0.0 has no quality stage."
