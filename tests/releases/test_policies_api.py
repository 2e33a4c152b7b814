from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.models import AuditEvent, Environment
from releases.models import EnvironmentPolicy
from tests.releases.clients import api_as
from tests.world import PLAN, RULES, World, production_policy

URL = "/api/v1/projects/acme/environments/production/policy/"
FIRST = {"If-Match": '"1"'}


def test_environments_come_in_the_order_in_which_a_release_passes_them(world: World) -> None:
    answer = api_as(world.cast, "auditor").get("/api/v1/projects/acme/environments/")
    assert [row["slug"] for row in answer.json()] == ["staging", "production"]


def test_an_owner_puts_a_new_version_in_force(world: World) -> None:
    body = production_policy(quorum=2)
    answer = api_as(world.cast, "owner").put(
        URL, {"body": body, "reason": "Two people."}, format="json", headers=FIRST
    )
    assert answer.status_code == 200
    assert answer.json()["number"] == 2
    assert api_as(world.cast, "auditor").get(URL).json()["body"]["quorum"] == 2


@pytest.mark.parametrize("role", ["writer", "engineer", "annotator", "approver", "operator", "auditor"])
def test_nobody_but_an_owner_changes_a_policy(world: World, role: str) -> None:
    before = (EnvironmentPolicy.objects.count(), AuditEvent.objects.count())
    answer = api_as(world.cast, role).put(
        URL, {"body": production_policy(quorum=2)}, format="json", headers=FIRST
    )
    assert answer.status_code == 403
    assert (EnvironmentPolicy.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ("none", "body"),
        (production_policy(quorum=0), "quorum"),
        (production_policy(gates=["static"]), "gates"),
        (production_policy(plan=None), "plan"),
        (production_policy(plan={"steps": [PLAN["steps"][0], *PLAN["steps"][2:]]}), None),
        (production_policy(rules=[RULES[0] | {"when": "policy_filter_rate >"}]), "rules[0].when"),
        (production_policy(approver_roles=["writer"]), "approver_roles"),
        (production_policy(colour="red"), "colour"),
    ],
)
def test_a_policy_that_would_not_hold_is_refused_at_its_field(
    world: World, body: Any, field: str | None
) -> None:
    answer = api_as(world.cast, "owner").put(URL, {"body": body}, format="json", headers=FIRST)
    assert 400 <= answer.status_code < 500
    if field:
        assert answer.json()["field"] == field
    assert EnvironmentPolicy.objects.filter(environment=world.cast.production).count() == 1


def test_an_unknown_environment_is_404(world: World) -> None:
    assert api_as(world.cast, "owner").get(URL.replace("production", "moon")).status_code == 404


def test_a_change_says_which_version_it_is_based_on(world: World) -> None:
    owner = api_as(world.cast, "owner")
    assert owner.get(URL)["ETag"] == '"1"'
    changed = owner.put(URL, {"body": production_policy(quorum=2)}, format="json", headers=FIRST)
    assert changed["ETag"] == '"2"'
    unsaid = owner.put(URL, {"body": production_policy(quorum=3)}, format="json")
    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "precondition_required")


def test_a_change_based_on_an_old_version_overwrites_nothing(world: World) -> None:
    owner = api_as(world.cast, "owner")
    owner.put(URL, {"body": production_policy(quorum=2)}, format="json", headers=FIRST)
    late = owner.put(URL, {"body": production_policy(quorum=3)}, format="json", headers=FIRST)
    told = late.json()
    assert (late.status_code, told["code"], told["current_revision"]) == (412, "stale_write", 2)
    assert told["saved_by"] == str(world.cast.users["owner"])
    assert owner.get(URL).json()["body"]["quorum"] == 2


def test_the_first_policy_of_an_environment_is_based_on_0(world: World) -> None:
    Environment.objects.create(project=world.cast.project, slug="lab", name="Lab", kind="staging", position=5)
    lab, owner = URL.replace("production", "lab"), api_as(world.cast, "owner")
    body = {"body": {"quorum": 0, "plan": None}}
    assert owner.put(lab, body, format="json", headers=FIRST).status_code == 412
    created = owner.put(lab, body, format="json", headers={"If-Match": '"0"'})
    assert (created.status_code, created["ETag"]) == (200, '"1"')
