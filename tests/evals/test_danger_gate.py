from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from evals.models import GateReport
from evals.services import run_gate
from providers.scripted import ScriptedServer
from registry.datasets import CaseContent, CaseSource, SourceKind
from registry.models import Dataset, DatasetVersion, Feature
from registry.services.case_changes import erase_case
from registry.services.danger import add_danger_case
from registry.services.datasets import freeze_danger
from tests.cast import Cast
from tests.evals.gate_subjects import GOOD, row, rows, subject_of

MODEL = "smollm2-135m"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"models": {MODEL: {"answer": GOOD}}}) as running:
        yield running


def failed(cast: Cast, *, feature: str | None = None, ref: str = "1", **content: Any) -> None:
    add_danger_case(
        actor=cast.actor("annotator"),
        project_id=cast.project.id,
        feature=feature,
        content=CaseContent(**{"variables": {"question": "What went wrong?"}, **content}),
        source=CaseSource(SourceKind.REVIEW, ref),
    )


def danger(cast: Cast, server: ScriptedServer, feature: str = "", **changes: Any) -> GateReport:
    subject = replace(subject_of(cast, base_url=server.base_url, **changes), feature=feature)
    return run_gate(name="danger", subject=subject, params={"attempts": 1})


def test_a_project_without_former_failures_passes_and_says_so(cast: Cast, server: ScriptedServer) -> None:
    report = danger(cast, server)
    assert report.verdict == "pass"
    assert row(report, "frozen")["detail"].startswith("No former failures yet")
    version = DatasetVersion.objects.get()
    assert (version.case_count, row(report, "frozen")["evidence"]["dataset_digest"]) == (0, version.digest)
    assert server.calls(MODEL) == 0


def test_every_former_failure_is_asked_and_must_be_right(cast: Cast, server: ScriptedServer) -> None:
    failed(cast, expected={"answer": "so"})
    failed(cast, expected="so", ref="2")
    report = danger(cast, server)
    assert (report.verdict, server.calls(MODEL)) == ("pass", 2)
    assert {one["id"] for one in report.body["suite_report"]["stages"][0]["scorers"]} == {
        "answered",
        "schema_valid",
        "policy_clear",
        "expected",
    }


def test_one_that_still_fails_fails_the_gate(cast: Cast, server: ScriptedServer) -> None:
    failed(cast, expected={"answer": "so"})
    failed(cast, expected={"answer": "otherwise"}, ref="2")
    report = danger(cast, server)
    assert (report.verdict, rows(report)["stage-danger"]) == ("fail", "fail")


def test_without_a_right_answer_schema_and_policy_filter_judge(cast: Cast, server: ScriptedServer) -> None:
    failed(cast)
    server.script({"models": {MODEL: {"answer": '{"answer": "the launch code"}'}}})
    report = danger(cast, server)
    assert report.verdict == "fail"
    case = report.body["suite_report"]["stages"][0]["cases"][0]
    assert case["scorers"]["policy_clear"]["passed"] is False
    assert case["scorers"]["schema_valid"]["passed"] is True


def test_one_case_without_an_answer_is_an_error_of_the_gate(cast: Cast, server: ScriptedServer) -> None:
    failed(cast)
    failed(cast, ref="2")
    server.script({"models": {MODEL: {"answer": GOOD, "then": {"status": 503}, "after_calls": 1}}})
    assert danger(cast, server).verdict == "error"


def test_a_case_of_the_feature_that_does_not_fit_any_more_is_an_error(
    cast: Cast, server: ScriptedServer
) -> None:
    Feature.objects.create(project=cast.project, slug="assistant", name="Assistant")
    failed(cast, feature="assistant", variables={"query": "?"})
    assert danger(cast, server, feature="assistant").verdict == "error"


def test_a_case_for_any_feature_is_asked_where_it_fits(cast: Cast, server: ScriptedServer) -> None:
    failed(cast, variables={"query": "?"})
    report = danger(cast, server)
    assert report.verdict == "pass"
    assert row(report, "unfit")["evidence"]["cases"] == ["review-1"]
    assert server.calls(MODEL) == 0


def test_failures_of_another_feature_are_not_this_ones(cast: Cast, server: ScriptedServer) -> None:
    Feature.objects.create(project=cast.project, slug="other", name="Other")
    failed(cast, feature="other", expected="never")
    report = danger(cast, server, feature="assistant")
    assert report.verdict == "pass"
    assert row(report, "asked")["evidence"]["of_other_features"] == 1


def test_an_erased_case_is_counted_and_not_asked(cast: Cast, server: ScriptedServer) -> None:
    failed(cast)
    failed(cast, ref="2")
    dataset = Dataset.objects.get()
    freeze_danger(project_id=cast.project.id)
    erase_case(actor=cast.actor("owner"), dataset_id=dataset.pk, key="review-1", reason="By law.")
    report = danger(cast, server)
    assert (report.verdict, server.calls(MODEL)) == ("pass", 1)
    assert row(report, "frozen")["detail"] == "1 cases: danger@2.0.0."
