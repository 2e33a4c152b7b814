from __future__ import annotations

from typing import Any

import pytest

from evals.models import Suite, SuiteVersion
from evals.services import publish_suite
from evals.suite_versions import suite_digest
from promptstore.core.errors import InvalidInput, NotAllowed
from promptstore.core.models import AuditEvent
from registry.errors import Unchanged
from tests.cast import Cast
from tests.evals.suites.published import EXACT, freeze, publish, suite_body
from tests.releases.clients import api_as

BODY: dict[str, Any] = suite_body(EXACT)


def test_a_suite_is_published_with_its_defaults_under_a_digest(cast: Cast) -> None:
    freeze(cast)
    row = publish(cast, BODY, version="1.0.0", changelog="First.")
    assert str(row) == "support@1.0.0"
    assert row.body["stages"][1]["trials"] == 1
    assert row.digest == suite_digest("support", "1.0.0", row.body)
    event = AuditEvent.objects.get(action="suite.published")
    assert event.after is not None
    assert event.after["digest"] == row.digest


def test_the_same_suite_again_makes_no_version(cast: Cast) -> None:
    freeze(cast)
    publish(cast, BODY)
    with pytest.raises(Unchanged):
        publish(cast, BODY)
    assert SuiteVersion.objects.count() == 1


def test_another_one_gets_the_next_number(cast: Cast) -> None:
    freeze(cast)
    publish(cast, BODY, version="1.0.0")
    assert publish(cast, suite_body(EXACT, trials=2)).version == "1.1.0"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"dataset": "held-out"}, "body.stages[1].dataset"),
        ({"dataset": "held-out@2.0.0"}, "body.stages[1].dataset"),
        ({"trials": 0}, "body.stages[1].trials"),
        ({"scorers": [{"scorer": "feeling", "min": 1}]}, "body.stages[1].scorers[0].scorer"),
    ],
)
def test_what_cannot_work_is_refused_by_name(cast: Cast, changed: dict[str, Any], field: str) -> None:
    freeze(cast)
    body = suite_body(EXACT)
    body["stages"][1] |= changed
    with pytest.raises(InvalidInput) as refused:
        publish(cast, body)
    assert refused.value.field == field
    assert not Suite.objects.exists()


def test_only_who_may_edit_datasets_publishes(cast: Cast) -> None:
    freeze(cast)
    with pytest.raises(NotAllowed):
        publish_suite(actor=cast.actor("auditor"), project_id=cast.project.id, body=BODY)
    assert not Suite.objects.exists()


def test_the_api_publishes_lists_and_shows(cast: Cast) -> None:
    freeze(cast)
    client = api_as(cast, "writer")
    made = client.post("/api/v1/projects/acme/suites/", {"body": BODY, "version": "1.0.0"}, format="json")
    assert made.status_code == 201, made.content
    listed = client.get("/api/v1/projects/acme/suites/").json()["results"]
    assert [(row["name"], row["latest_version"]) for row in listed] == [("support", "1.0.0")]
    shown = client.get("/api/v1/projects/acme/suites/support/versions/1.0.0/").json()
    assert shown["digest"] == made.json()["digest"]
    assert client.get("/api/v1/projects/acme/suites/other/").status_code == 404


def test_the_api_names_the_member_at_fault(cast: Cast) -> None:
    freeze(cast)
    refused = api_as(cast, "writer").post(
        "/api/v1/projects/acme/suites/",
        {"body": suite_body({**EXACT, "min": 2})},
        format="json",
    )
    assert (refused.status_code, refused.json()["field"]) == (400, "body.stages[1].scorers[0].min")
