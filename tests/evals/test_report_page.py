from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evals.models import GateReport
from evals.services import run_gate
from promptstore.core.digests import digest_json
from providers.scripted import ScriptedServer
from tests.cast import Cast
from tests.evals.gate_subjects import GOOD, subject_of


@pytest.fixture
def report(cast: Cast) -> Iterator[GateReport]:
    """A smoke report with one bad answer out of three."""
    bad = "<script>alert(1)</script> is no JSON"
    with ScriptedServer({"default": {"answer": GOOD, "after_calls": 2, "then": {"answer": bad}}}) as server:
        yield run_gate(name="smoke", subject=subject_of(cast, base_url=server.base_url))


def test_the_report_reads_worst_first_and_shows_answers_as_text(
    client: Client, cast: Cast, report: GateReport
) -> None:
    client.force_login(cast.users["writer"])
    page = client.get(reverse("evals:report", args=[report.digest])).content.decode()
    assert page.index("Outputs are valid") < page.index("The release can be called")
    assert "2 of 3 valid; at least 3 needed" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is no JSON" in page


def test_the_document_over_rest_is_the_one_that_was_digested(
    client: Client, cast: Cast, report: GateReport
) -> None:
    client.force_login(cast.users["auditor"])
    answer = client.get(f"/api/v1/projects/acme/reports/{report.digest}/")
    assert digest_json(answer.json()) == report.digest
    assert answer.headers["ETag"] == f'"{report.digest}"'
    listed = client.get(f"/api/v1/projects/acme/reports/?release={report.release_digest}").json()["results"]
    assert [(row["gate"], row["verdict"], row["digest"]) for row in listed] == [
        ("smoke", "fail", report.digest)
    ]
    assert client.get("/api/v1/projects/acme/reports/?release=sha256:0").json()["results"] == []


def test_reports_stay_in_their_project(
    client: Client, cast: Cast, strangers: Cast, report: GateReport
) -> None:
    client.force_login(strangers.users["owner"])
    assert client.get(reverse("evals:report", args=[report.digest])).status_code == 404
    assert client.get(f"/api/v1/projects/umbrella/reports/{report.digest}/").status_code == 404
    assert client.get(f"/api/v1/projects/acme/reports/{report.digest}/").status_code == 404


def test_reports_cannot_be_changed(report: GateReport) -> None:
    from django.db import DatabaseError, transaction

    def tamper(**changes: Any) -> None:
        with transaction.atomic():
            GateReport.objects.filter(pk=report.pk).update(**changes)

    with pytest.raises(DatabaseError):
        tamper(verdict="pass")
    report.refresh_from_db()
    assert report.verdict == "fail"


def test_a_document_with_evidence_of_its_own_can_be_opened(client: Client, cast: Cast) -> None:
    report = run_gate(name="static", subject=subject_of(cast, context_tokens=None))
    client.force_login(cast.users["writer"])
    page = client.get(reverse("evals:report", args=[report.digest])).content.decode()
    assert page.index("fits into the context") < page.index("has no lint errors")
