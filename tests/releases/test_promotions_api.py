from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from promptstore.core.models import AuditEvent
from releases.models import Promotion, Vote
from tests.cast import Cast
from tests.releases.clients import api_as
from tests.world import PLAN, World

URL = "/api/v1/projects/acme/promotions/"


def url(promotion: Promotion, action: str = "") -> str:
    return f"{URL}{promotion.pk}/{f'{action}/' if action else ''}"


def digests(promotion: Promotion) -> dict[str, str]:
    evidence = promotion.evidence.latest("check_round")
    return {"release_digest": promotion.release.digest, "evidence_digest": evidence.digest}


def test_requesting_starts_the_checks_and_says_whose_turn_it_is(world: World) -> None:
    release = world.compose()
    body = {"release": release.digest, "environment": "production", "reason": "Calmer."}
    answer = api_as(world.cast, "engineer").post(URL, body, format="json")
    assert answer.status_code == 201
    found = answer.json()
    assert found["promotion"]["state"] == "checking"
    assert found["turn"].startswith("The checks are running (static, smoke and danger).")
    assert found["plan"] == PLAN
    assert found["evidence_digest"] is None


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"release": "sha256:00"}, 404, "release"),
        ({"release": 3}, 400, "release"),
        ({"environment": "moon"}, 404, "environment"),
        ({"environment": None}, 400, "environment"),
        ({"plan": "fast"}, 400, "plan"),
        ({"plan": {"steps": []}}, 400, "plan.steps"),
        ({"plan": {"steps": [{"weight_bp": 10_000, "min_duration_s": 1, "min_samples": 1}]}}, 400, None),
        ({"reason": "x" * 2_001}, 400, "reason"),
        ({"speed": 9}, 400, "speed"),
    ],
)
def test_a_bad_request_names_the_field_and_changes_nothing(
    world: World, changes: dict[str, Any], status: int, field: str | None
) -> None:
    body = {"release": world.compose().digest, "environment": "production"} | changes
    before = (Promotion.objects.count(), AuditEvent.objects.count())
    answer = api_as(world.cast, "engineer").post(URL, body, format="json")
    assert answer.status_code == status, answer.content
    if field:
        assert answer.json()["field"] == field
    assert (Promotion.objects.count(), AuditEvent.objects.count()) == before


def test_what_is_live_already_is_refused(world: World) -> None:
    body = {"release": "1.0.0", "feature": "assistant", "environment": "production"}
    answer = api_as(world.cast, "engineer").post(URL, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_live")


def test_an_approval_binds_the_digests_that_were_seen(world: World) -> None:
    promotion = world.check(world.request())
    client = api_as(world.cast, "approver")
    stale = client.post(
        url(promotion, "approve"), digests(promotion) | {"evidence_digest": "sha256:1"}, format="json"
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_approval")
    assert not Vote.objects.exists()
    good = client.post(url(promotion, "approve"), digests(promotion) | {"comment": "Fine."}, format="json")
    assert good.status_code == 200
    assert good.json()["promotion"]["state"] == "approved"
    assert good.json()["votes"][0]["comment"] == "Fine."


def test_the_detail_says_who_may_not_approve_and_why(world: World) -> None:
    promotion = world.check(world.request())
    own = api_as(world.cast, "engineer").get(url(promotion)).json()
    assert own["why_not_vote"].startswith("An approval needs the role approver or owner")
    assert "writer@acme, who wrote it" in own["turn"]
    assert "engineer@acme, who composed and requested it" in own["turn"]
    other = api_as(world.cast, "approver").get(url(promotion)).json()
    assert other["why_not_vote"] == ""
    assert "approve" in other["actions"]


@pytest.mark.parametrize(
    ("action", "body", "allowed"),
    [
        ("reject", {"reason": "No."}, {"approver", "owner"}),
        ("cancel", {}, {"writer", "engineer", "operator", "owner"}),
        ("recheck", {}, {"writer", "engineer", "owner"}),
        ("plan", {"plan": PLAN, "reason": "Same."}, {"writer", "engineer", "owner"}),
    ],
)
@pytest.mark.parametrize(
    "role", ["writer", "engineer", "annotator", "approver", "operator", "auditor", "owner"]
)
def test_who_may_do_what_to_a_promotion(
    world: World, role: str, action: str, body: dict[str, Any], allowed: set[str]
) -> None:
    promotion = world.check(world.request())
    before = (Promotion.objects.values_list("state", "check_round")[0], AuditEvent.objects.count())
    answer = api_as(world.cast, role).post(url(promotion, action), body, format="json")
    assert answer.status_code == (200 if role in allowed else 403), answer.content
    if role not in allowed:
        assert (
            Promotion.objects.values_list("state", "check_round")[0],
            AuditEvent.objects.count(),
        ) == before


def test_nobody_who_made_it_approves_it(world: World) -> None:
    promotion = world.check(world.request(world.compose(actor="owner"), actor="owner"))
    answer = api_as(world.cast, "owner").post(url(promotion, "approve"), digests(promotion), format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "own_change")
    assert not Vote.objects.exists()


@pytest.mark.parametrize("action", ["approve", "reject", "plan"])
def test_a_decision_without_its_members_is_400(world: World, action: str) -> None:
    promotion = world.check(world.request())
    answer = api_as(world.cast, "owner").post(url(promotion, action), {}, format="json")
    assert answer.status_code == 400
    assert answer.json()["field"]


def test_another_projects_promotion_is_404(world: World, strangers: Cast) -> None:
    promotion = world.check(world.request())
    owner = api_as(strangers, "owner")
    for action, body in (
        ("", None),
        ("approve", digests(promotion)),
        ("reject", {"reason": "No."}),
        ("cancel", {}),
    ):
        path = url(promotion, action).replace("/acme/", "/umbrella/")
        answer = owner.get(path) if body is None else owner.post(path, body, format="json")
        assert answer.status_code == 404
    promotion.refresh_from_db()
    assert promotion.state == "awaiting_approval"
    assert owner.get(f"{URL.replace('acme', 'umbrella')}{uuid4()}/").status_code == 404


def test_the_list_is_filtered_and_needs_no_query_per_row(world: World, count_queries: Any) -> None:
    client = api_as(world.cast, "auditor")
    first = world.request()
    with count_queries() as one:
        client.get(URL)
    world.check(world.request())
    with count_queries() as two:
        assert len(client.get(URL).json()["results"]) == 2
    assert len(two) == len(one) <= 8
    checking = client.get(URL, {"state": "checking"}).json()["results"]
    assert [row["id"] for row in checking] == [str(first.pk)]
    assert len(client.get(URL, {"state": "open", "environment": "production"}).json()["results"]) == 2
    assert client.get(URL, {"environment": "staging"}).json()["results"] == []
    unknown = client.get(URL, {"state": "asleep"})
    assert (unknown.status_code, unknown.json()["field"]) == (400, "state")
