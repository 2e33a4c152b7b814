from __future__ import annotations

from typing import Any

import pytest

from promptstore.core import clock as clocks
from promptstore.core.models import AuditEvent
from releases import controller
from releases.models import Deployment, Release, Rollout
from tests.cast import Cast
from tests.releases.clients import api_as
from tests.traffic import record
from tests.world import World

URL = "/api/v1/projects/acme/rollouts/"


def url(rollout: Rollout, action: str = "") -> str:
    return f"{URL}{rollout.pk}/{f'{action}/' if action else ''}"


def state(rollout: Rollout) -> tuple[str, int, int, int]:
    rollout.refresh_from_db()
    return rollout.state, rollout.weight_bp, rollout.decisions.count(), AuditEvent.objects.count()


def test_a_rollout_shows_its_plan_what_it_waits_for_its_rules_and_decisions(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    clock.advance(minutes=1)
    record(rollout, "candidate", 12)
    record(rollout, "stable", 300)
    found = api_as(world.cast, "auditor").get(url(rollout)).json()
    assert found["rollout"]["weight_bp"] == 200
    assert found["samples"] == {"candidate": 12, "stable": 300}
    assert (found["seconds_to_go"], found["samples_to_go"]) == (240, 8)
    assert found["waits_for"][0] == "4\u00a0min to go of 5\u00a0min at 2\u00a0%."
    rules = {rule["id"]: rule for rule in found["measurements"]}
    chart = rules["policy"]["charts"][0]["data"]
    assert chart["limit"]["value"] == pytest.approx(0.1)
    assert [line["key"] for line in chart["series"]] == ["candidate", "stable"]
    assert [one["kind"] for one in found["decisions"]] == ["advance", "start"]
    assert found["shadow"] is None


def test_in_shadow_it_says_how_many_calls_were_copied_and_what_that_cost(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.shadow()
    record(rollout, "stable", 4)
    record(rollout, "shadow", 3)
    found = api_as(world.cast, "auditor").get(url(rollout)).json()
    assert found["samples"] == {"shadow": 3, "stable": 4}
    assert found["waits_for"][:2] == [
        "5\u00a0min to go of 5\u00a0min in shadow.", "17 samples to go of 20 in shadow."
    ]  # fmt: skip
    assert (found["rollout"]["weight_bp"], found["rollout"]["mirrored_bp"]) == (0, 10_000)
    assert found["shadow"] == {
        "copies": 3, "answered": 4, "spent_nanos": 26_400, "max_cost_nanos": None, "is_mirroring": True,
    }  # fmt: skip


def test_pause_resume_and_roll_back_answer_the_new_state(world: World) -> None:
    rollout = world.roll_out()
    client = api_as(world.cast, "operator")
    paused = client.post(url(rollout, "pause"), {"reason": "Odd."}, format="json").json()["rollout"]
    assert (paused["state"], paused["pause_reason"]) == ("paused", "Odd.")
    assert client.post(url(rollout, "resume"), {}, format="json").json()["rollout"]["state"] == "running"
    down = client.post(url(rollout, "roll_back"), {"reason": "Wrong tone."}, format="json").json()
    assert (down["rollout"]["state"], down["rollout"]["weight_bp"]) == ("rolling_back", 150)
    cut = client.post(url(rollout, "roll_back"), {"reason": "Now.", "at_once": True}, format="json").json()
    assert (cut["rollout"]["state"], cut["rollout"]["weight_bp"]) == ("rolled_back", 0)


def test_nobody_skips_the_canary_and_a_moved_step_is_a_conflict(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    client = api_as(world.cast, "operator")
    early = client.post(url(rollout, "advance"), {"expected_step": 1, "reason": "Go."}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "canary_not_met")
    clock.advance(minutes=6)
    record(rollout, "candidate", 30)
    moved = client.post(url(rollout, "advance"), {"expected_step": 2, "reason": "Go."}, format="json")
    assert (moved.status_code, moved.json()["code"]) == (409, "step_moved")
    good = client.post(url(rollout, "advance"), {"expected_step": 1, "reason": "Go."}, format="json")
    assert good.json()["rollout"]["weight_bp"] == 1_000


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("pause", {}, "reason"),
        ("pause", {"reason": "   "}, "reason"),
        ("pause", {"reason": ["x"]}, "reason"),
        ("advance", {"reason": "Go."}, "expected_step"),
        ("advance", {"reason": "Go.", "expected_step": -1}, "expected_step"),
        ("advance", {"reason": "Go.", "expected_step": "first"}, "expected_step"),
        ("roll_back", {"reason": "x" * 2_001}, "reason"),
        ("roll_back", {"reason": "Now.", "at_once": "perhaps"}, "at_once"),
        ("roll_back", {"reason": "Now.", "when": "later"}, "when"),
    ],
)
def test_bad_input_names_the_field_and_moves_nothing(
    world: World, action: str, body: dict[str, Any], field: str
) -> None:
    rollout = world.roll_out()
    before = state(rollout)
    answer = api_as(world.cast, "operator").post(url(rollout, action), body, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert state(rollout) == before


@pytest.mark.parametrize(
    ("action", "allowed"),
    [("pause", {"engineer", "operator", "owner"}), ("roll_back", {"engineer", "operator", "owner"})],
)
@pytest.mark.parametrize(
    "role", ["writer", "engineer", "annotator", "approver", "operator", "auditor", "owner"]
)
def test_who_may_stop_a_rollout(world: World, role: str, action: str, allowed: set[str]) -> None:
    rollout = world.roll_out()
    before = state(rollout)
    answer = api_as(world.cast, role).post(url(rollout, action), {"reason": "Odd."}, format="json")
    assert answer.status_code == (200 if role in allowed else 403)
    if role not in allowed:
        assert state(rollout) == before


def test_another_projects_rollout_is_404_and_does_not_move(world: World, strangers: Cast) -> None:
    rollout = world.roll_out()
    before = state(rollout)
    owner = api_as(strangers, "owner")
    path = url(rollout).replace("/acme/", "/umbrella/")
    assert owner.get(path).status_code == 404
    for action in ("pause", "resume", "roll_back"):
        assert owner.post(f"{path}{action}/", {"reason": "Mine."}, format="json").status_code == 404
    assert (
        owner.post(f"{path}advance/", {"reason": "Mine.", "expected_step": 0}, format="json").status_code
        == 404
    )
    assert state(rollout) == before


def test_the_list_needs_no_query_per_row(world: World, count_queries: Any) -> None:
    client = api_as(world.cast, "auditor")
    world.roll_out()
    with count_queries() as seen:
        rows = client.get(URL, {"live": "true"}).json()["results"]
    assert [row["state"] for row in rows] == ["running"]
    assert len(seen) <= 8


def test_a_deployment_returns_to_what_was_live_before_and_only_to_that(
    world: World, clock: clocks.ManualClock
) -> None:
    deployment = Deployment.objects.get(environment=world.cast.production)
    path = f"/api/v1/projects/acme/deployments/{deployment.pk}/return/"
    never = world.compose()
    client = api_as(world.cast, "operator")
    refused = client.post(path, {"release": never.digest, "reason": "Try."}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "never_live")
    rollout = world.roll_out()
    answer = client.post(path, {"release": "1.0.0", "reason": "Back."}, format="json")
    assert answer.status_code == 200
    assert answer.json()["stable_release"]["version"] == "1.0.0"
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("aborted", 0)
    assert (
        api_as(world.cast, "writer")
        .post(path, {"release": "1.0.0", "reason": "Me."}, format="json")
        .status_code
        == 403
    )
    assert Release.objects.filter(live_periods__deployment=deployment).distinct().count() == 1


def test_a_rollback_by_the_rules_tells_what_withdrawn_units_get(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    for _ in range(3):
        clock.advance(minutes=1)
        record(rollout, "candidate", 20, policy_hits=10)
        record(rollout, "stable", 100)
    controller.tick()
    found = api_as(world.cast, "auditor").get(url(rollout)).json()
    assert found["rollout"]["state"] == "rolling_back"
    assert found["rollout"]["incident"]
    assert "safe mode until the incident is mitigated" in found["withdrawn"]
