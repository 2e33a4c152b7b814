from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from incidents.models import Incident, IncidentEntry
from incidents.states import IncidentState
from promptstore.core import keys
from tests.cast import Cast
from tests.incidents.incident_cast import opened

BASE = "/api/v1/projects/acme/incidents/"


@pytest.fixture
def api(cast: Cast) -> Any:
    """`api("operator")` is a client of that person."""

    def client_of(role: str, project: Cast = cast) -> APIClient:
        client = APIClient()
        _, token = keys.create_personal_token(
            actor=project.actor(role), project_id=project.project.pk, name="test"
        )
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return client_of


def test_incidents_are_listed_newest_first_in_pages(cast: Cast, api: Any) -> None:
    ids = [str(opened(cast, dedup_key=str(n)).pk) for n in range(5)]
    client = api("auditor")
    first = client.get(f"{BASE}?page_size=2").json()
    second = client.get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == ids[:0:-1]
    assert first["results"][0]["feature"] == "config-assistant"


def test_filters_are_checked(cast: Cast, api: Any) -> None:
    opened(cast)
    client = api("auditor")
    counts = {
        query: len(client.get(f"{BASE}?{query}").json()["results"])
        for query in (
            "state=open",
            "state=resolved",
            "environment=staging",
            "feature=config-assistant&severity=P1",
        )
    }
    assert counts == {
        "state=open": 1,
        "state=resolved": 0,
        "environment=staging": 0,
        "feature=config-assistant&severity=P1": 1,
    }
    for query, field in (("state=odd", "state"), ("severity=P9", "severity")):
        refused = client.get(f"{BASE}?{query}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert client.get(f"{BASE}?environment=moon").status_code == 404


def test_an_incident_goes_its_way_over_rest(cast: Cast, api: Any) -> None:
    incident = opened(cast)
    client = api("operator")
    one = f"{BASE}{incident.pk}/"
    assert (
        client.post(f"{one}acknowledge/", {"reason": "On it."}).json()["incident"]["state"] == "acknowledged"
    )
    assert client.post(f"{one}comments/", {"text": "Looks like the provider."}).status_code == 201
    mitigated = client.post(f"{one}mitigate/", {})
    assert mitigated.json()["actions"] == [{"action": "resolve", "allowed": True}]
    again = client.post(f"{one}mitigate/", {})
    assert (again.status_code, again.json()["code"]) == (409, "transition_refused")
    body = client.post(f"{one}resolve/", {"reason": "Pinned."}).json()
    assert [entry["kind"] for entry in body["timeline"]] == [
        "opened",
        "acknowledged",
        "commented",
        "mitigated",
        "resolved",
    ]
    assert {row.history_user for row in incident.history.exclude(history_type="+")} == {
        cast.users["operator"]
    }


def test_what_a_role_may_not_do_is_refused_and_changes_nothing(cast: Cast, api: Any) -> None:
    incident = opened(cast, evidence={"samples": [{"output": "secret"}], "step": 1})
    client = api("writer")
    refused = client.post(f"{BASE}{incident.pk}/mitigate/", {})
    assert (refused.status_code, refused.json()["permission"]) == (403, "incident.mitigate")
    incident.refresh_from_db()
    assert incident.state == IncidentState.OPEN
    assert client.get(f"{BASE}{incident.pk}/").json()["evidence"] == {"step": 1}
    assert "samples" in api("operator").get(f"{BASE}{incident.pk}/").json()["evidence"]


def test_bad_bodies_are_named(cast: Cast, api: Any) -> None:
    incident = opened(cast)
    client = api("operator")
    for path, body, field in (
        ("comments/", {}, "text"),
        ("comments/", {"text": "x" * 4_001}, "text"),
        ("mitigate/", {"raeson": "typo"}, "raeson"),
    ):
        refused = client.post(f"{BASE}{incident.pk}/{path}", body)
        assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert IncidentEntry.objects.count() == 1


def test_a_repeated_request_with_a_key_acts_once(cast: Cast, api: Any) -> None:
    incident = opened(cast)
    client = api("operator")
    answers = [
        client.post(f"{BASE}{incident.pk}/comments/", {"text": "Once."}, headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert IncidentEntry.objects.filter(kind="commented").count() == 1


def test_strangers_and_other_projects_ids_get_404(cast: Cast, strangers: Cast, api: Any) -> None:
    incident = opened(cast)
    client = api("owner", strangers)
    assert client.get(f"{BASE}{incident.pk}/").status_code == 404
    assert client.post(f"/api/v1/projects/umbrella/incidents/{incident.pk}/mitigate/", {}).status_code == 404
    assert APIClient().get(BASE).status_code == 401
    assert Incident.objects.get().state == IncidentState.OPEN
