"""What was taken in can be found again: pages and REST calls of inferences."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from promptstore.core.errors import InvalidInput
from promptstore.core.http.keyset import keyset_page
from promptstore.core.ids import uuid7
from registry.models import Feature
from telemetry.models import Inference
from telemetry.selectors import inference_list
from tests.cast import Cast
from tests.telemetry.inference_events import event, ingest

LIST = "/api/v1/projects/acme/inferences/"


@pytest.fixture
def client_of(client: Client, cast: Cast) -> Any:
    def signed_in(role: str) -> Client:
        client.force_login(cast.users[role])
        return client

    return signed_in


def test_an_inference_is_found_by_id_with_its_provenance_and_texts_as_text(client_of: Any) -> None:
    one = event(output_redacted="<script>alert(1)</script>", policy_hit=True, policy_reasons=["secret"])
    ingest([one])
    client = client_of("operator")
    page = client.get(reverse("telemetry:inference_detail", args=[one["id"]])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "smollm2@1.0.0" in page
    body = client.get(f"{LIST}{one['id']}/").json()
    assert (body["release_digest"], body["prompt_version"], body["variables_redacted"]) == (
        one["release_digest"],
        "1.0.0",
        {"question": "how"},
    )


def test_the_list_filters_by_feature_arm_outcome_and_policy(client_of: Any, cast: Cast) -> None:
    Feature.objects.create(project=cast.project, slug="config-assistant", name="x")
    ingest(
        [
            event(),
            event(arm="candidate", status="error"),
            event(feature="other", policy_hit=True, status="policy_blocked"),
            event(environment="staging"),
        ]
    )
    client = client_of("engineer")
    asked = {
        query: len(client.get(f"{LIST}?{query}").json()["results"])
        for query in (
            "",
            "environment=staging",
            "feature=other",
            "arm=candidate",
            "status=policy_blocked",
            "policy_hit=true",
            "policy_hit=false&environment=production",
        )
    }
    assert list(asked.values()) == [4, 1, 1, 1, 1, 1, 2]
    # The page shows the environment that the person has chosen: production.
    for query, rows in (
        ("", 3),
        ("policy=hit", 1),
        ("arm=candidate", 1),
        ("arm=nonsense", 3),
        ("status=ok", 1),
    ):
        page = client.get(f"{reverse('telemetry:inference_list')}?{query}").content.decode()
        assert page.count('class="ps-row-link"') == rows, query
    assert (
        "Nothing matches" in client.get(f"{reverse('telemetry:inference_list')}?arm=shadow").content.decode()
    )
    for query, field in (("arm=odd", "arm"), ("status=odd", "status"), ("policy_hit=maybe", "policy_hit")):
        refused = client.get(f"{LIST}?{query}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)


def test_only_those_with_the_permission_read_inferences(client_of: Any) -> None:
    one = event()
    ingest([one])
    client = client_of("writer")
    assert client.get(reverse("telemetry:inference_list")).status_code == 403
    assert client.get(reverse("telemetry:inference_detail", args=[one["id"]])).status_code == 403
    assert client.get(LIST).status_code == 403


def test_an_unknown_id_and_another_projects_are_not_found(
    client_of: Any, client: Client, strangers: Cast
) -> None:
    one = event()
    ingest([one])
    assert client_of("operator").get(f"{LIST}{uuid7()}/").status_code == 404
    client.force_login(strangers.users["owner"])
    assert client.get(reverse("telemetry:inference_detail", args=[one["id"]])).status_code == 404
    assert client.get(f"/api/v1/projects/umbrella/inferences/{one['id']}/").status_code == 404
    assert client.get(f"{LIST}{one['id']}/").status_code == 404


def test_pages_stay_in_place_while_rows_arrive(cast: Cast) -> None:
    ingest([event() for _ in range(7)])
    every = list(Inference.objects.order_by("-id").values_list("pk", flat=True))
    rows = inference_list(project_id=cast.project.pk)
    first = keyset_page(rows, "", size=3)
    second = keyset_page(rows, first.next, size=3)
    ingest([event()])
    third = keyset_page(rows, second.next, size=3)
    pages = [[row.pk for row in page.rows] for page in (first, second, third)]
    assert pages == [every[:3], every[3:6], every[6:]]
    assert (first.previous, third.next) == ("", "")
    back = keyset_page(rows, third.previous, size=3)
    assert [row.pk for row in back.rows] == every[3:6]
    for nonsense in ("older-nonsense", f"sideways-{every[0]}", "older"):
        with pytest.raises(InvalidInput, match="first"):
            keyset_page(rows, nonsense, size=3)
