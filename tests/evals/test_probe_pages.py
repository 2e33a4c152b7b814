"""The drift page and the API, as people and scripts use them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evals.models import DriftProbe
from evals.services import run_probe
from promptstore.core.clock import ManualClock
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from tests.cast import Cast
from tests.evals.probe_cast import ask_and_run, entry_of

PATH = "/api/v1/projects/acme/models/small/versions/1.0.0/"
URL = "/models/small/versions/1.0.0/drift/"
MARKUP = "<script>alert(1)</script> $last"


@pytest.fixture
def entry(cast: Cast, provider: ScriptedServer, clock: ManualClock) -> ModelVersion:
    return entry_of(cast, provider, service_level={"availability_bp": 9_990, "latency_p95_ms": 60_000})


@pytest.fixture
def engineer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.users["engineer"])
    return client


def text(client: Client, url: str = URL) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def drifted(cast: Cast, entry: ModelVersion, provider: ScriptedServer) -> Any:
    ask_and_run(cast, entry)
    provider.script({"default": {"answer": MARKUP}})
    return ask_and_run(cast, entry)


def test_before_the_first_run_the_page_says_what_will_come(entry: ModelVersion, engineer: Client) -> None:
    page = text(engineer)
    assert "Not probed yet" in page
    assert "not measured yet" in page
    assert URL in text(engineer, "/models/small/versions/1.0.0/")


def test_probe_now_shows_that_it_is_under_way_and_then_the_result(
    entry: ModelVersion, engineer: Client
) -> None:
    engineer.post(reverse("evals:probe_now", args=["small", "1.0.0"]))
    assert "A probe is under way" in text(engineer)
    live = engineer.get(f"{URL}live/")
    assert live.status_code == 200
    assert engineer.get(f"{URL}live/", headers={"If-None-Match": live.headers["ETag"]}).status_code == 304
    probe = DriftProbe.objects.get()
    assert probe.ticket is not None
    run_probe(probe_id=probe.pk, ticket=probe.ticket)
    ended = engineer.get(f"{URL}live/", headers={"If-None-Match": live.headers["ETag"]})
    assert ended.status_code == 286
    assert "These are the first answers" in ended.content.decode()


def test_a_drifted_run_shows_answers_then_and_now_as_text(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, engineer: Client
) -> None:
    drifted(cast, entry, provider)
    ask_and_run(cast, entry)
    page = text(engineer)
    assert "The provider answers differently under the same name" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Difference from the baseline" in page


def test_a_run_is_accepted_with_a_reason(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, engineer: Client
) -> None:
    run = drifted(cast, entry, provider)
    assert "Accept as new baseline" in text(engineer)
    url = reverse("evals:accept_baseline", args=["small", "1.0.0", run.pk])
    engineer.post(url, {"reason": "Looked at it."})
    assert DriftProbe.objects.get().baseline_id == run.pk
    assert "Accept as new baseline" not in text(engineer)


def test_who_may_not_register_models_sees_no_buttons_and_is_refused(
    entry: ModelVersion, cast: Cast, client: Client
) -> None:
    client.force_login(cast.users["auditor"])
    assert "Probe now" not in text(client)
    assert client.post(reverse("evals:probe_now", args=["small", "1.0.0"])).status_code == 403
    assert not DriftProbe.objects.exists()


def test_three_unreadable_runs_are_a_warning_and_a_missed_promise(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, engineer: Client
) -> None:
    provider.script({"default": {"status": 500}})
    for _ in range(3):
        ask_and_run(cast, entry)
    page = text(engineer)
    assert "The provider could not be read" in page
    assert "missed" in page


def test_the_service_level_is_measured_beside_what_was_promised(
    entry: ModelVersion, cast: Cast, engineer: Client
) -> None:
    ask_and_run(cast, entry)
    page = text(engineer).replace("\xa0", " ")
    assert "96 of 96" in page
    assert "99.90 % answered" in page
    assert "missed" not in page


def test_the_api_tells_asks_and_accepts(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, engineer: Client
) -> None:
    empty = engineer.get(f"{PATH}drift/").json()
    assert empty == {
        "baseline": None, "latest": None, "pending": None, "due_at": None, "unreadable_runs": 0
    }  # fmt: skip
    asked = engineer.post(f"{PATH}probes/", {}, content_type="application/json")
    assert asked.status_code == 202
    run_id = asked.json()["run"]
    assert engineer.get(f"{PATH}drift/").json()["pending"] == run_id
    assert engineer.get(f"{PATH}probes/{run_id}/").status_code == 404
    probe = DriftProbe.objects.get()
    assert probe.ticket is not None
    run_probe(probe_id=probe.pk, ticket=probe.ticket)
    provider.script({"default": {"answer": MARKUP}})
    run = ask_and_run(cast, entry)
    found = engineer.get(f"{PATH}probes/{run.pk}/").json()
    assert (found["outcome"], found["baseline"], len(found["cases"])) == ("drifted", run_id, 24)
    assert found["changed"][0]["after"].startswith("<script>")
    listed = engineer.get(f"{PATH}probes/").json()["results"]
    assert [row["outcome"] for row in listed] == ["drifted", "baseline"]
    accepted = engineer.post(
        f"{PATH}probes/{run.pk}/accept/", {"reason": "Wanted."}, content_type="application/json"
    )
    assert accepted.json()["baseline"]["id"] == str(run.pk)


def test_another_projects_runs_are_not_found(
    entry: ModelVersion, cast: Cast, strangers: Cast, provider: ScriptedServer, client: Client
) -> None:
    run = ask_and_run(cast, entry)
    entry_of(strangers, provider)
    client.force_login(strangers.users["owner"])
    path = PATH.replace("acme", "umbrella")
    assert client.get(f"{path}drift/").json()["latest"] is None
    assert client.get(f"{path}probes/{run.pk}/").status_code == 404
    assert client.get(f"{URL}?run={run.pk}").status_code == 404
    accept = client.post(f"{path}probes/{run.pk}/accept/", {"reason": "x"}, content_type="application/json")
    assert accept.status_code == 404


def test_a_run_that_is_no_id_is_refused(entry: ModelVersion, engineer: Client) -> None:
    assert engineer.get(f"{URL}?run=x").status_code == 400
