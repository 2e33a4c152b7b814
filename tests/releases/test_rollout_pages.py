from __future__ import annotations

import json
import re
from typing import Any

import pytest

from promptstore.core import clock as clocks
from releases import controller, services
from releases.models import Rollout
from tests.releases.clients import page_as
from tests.traffic import record
from tests.world import World


def url(rollout: Rollout, action: str = "") -> str:
    return f"/releases/rollouts/{rollout.pk}/{f'{action}/' if action else ''}"


def shown(world: World, role: str, rollout: Rollout) -> str:
    answer = page_as(world.cast, role).get(url(rollout))
    assert answer.status_code == 200
    return str(answer.content.decode())


def drive(rollout: Rollout, clock: clocks.ManualClock, minutes: int, *, policy_hits: int = 0) -> None:
    for _ in range(minutes):
        clock.advance(minutes=1)
        record(rollout, "candidate", 20, policy_hits=policy_hits)
        record(rollout, "stable", 100)


def test_a_running_canary_shows_weight_time_samples_and_every_rule(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    drive(rollout, clock, 2)
    page = shown(world, "operator", rollout)
    assert "3\u00a0min" in page
    assert "40" in page
    for rule in ("policy", "valid", "latency", "cost", "errors"):
        assert f'id="rule-{rule}"' in page
    assert "Policy hits 0\u00a0% (0 of 40) over 2\u00a0min, limit 10\u00a0%." in page
    assert "From shadow to users: 2\u00a0% of them." in page
    assert "Started in shadow." in page


def test_a_chart_ends_with_the_value_that_the_rule_compares(world: World, clock: clocks.ManualClock) -> None:
    rollout = world.roll_out()
    drive(rollout, clock, 3, policy_hits=1)
    page = shown(world, "operator", rollout)
    source = re.search(r'<script id="policy-0" type="application/json">(.+?)</script>', page)
    assert source
    data = json.loads(source[1])
    assert data["series"][0]["values"][-1] == pytest.approx(0.05)
    assert data["limit"] == {"value": 0.1, "label": "Limit", "breach": "above"}
    assert data["window"]["to"] - data["window"]["from"] == 120
    assert data["marks"][0]["label"] == "2\u00a0%"


def test_promote_now_is_disabled_with_the_reason_until_the_canary_has_its_minimum(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    page = shown(world, "operator", rollout)
    assert "Promote now: The canary still lacks 300 s and 20 samples; nobody skips it." in page
    assert url(rollout, "advance") not in page
    drive(rollout, clock, 6)
    page = shown(world, "operator", rollout)
    assert url(rollout, "advance") in page
    assert 'name="expected_step" value="1"' in page


def test_an_auditor_sees_all_four_buttons_and_why_none_may_be_pressed(world: World) -> None:
    page = shown(world, "auditor", world.roll_out())
    for label in ("Pause", "Resume", "Promote now", "Roll back"):
        assert label in page
    assert "Your roles in this project do not allow it." in page
    assert 'name="reason"' not in page


def test_the_four_actions_are_forms_that_work_without_javascript(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    client = page_as(world.cast, "operator")

    def act(action: str, **form: str) -> tuple[str, int]:
        answer = client.post(url(rollout, action), {"reason": "Because."} | form)
        assert (answer.status_code, answer["Location"]) == (302, url(rollout))
        rollout.refresh_from_db()
        return rollout.state, rollout.weight_bp

    assert act("pause") == ("paused", 200)
    assert act("resume") == ("running", 200)
    drive(rollout, clock, 6)
    assert act("advance", expected_step="1") == ("running", 1_000)
    assert act("roll-back", way="steps") == ("rolling_back", 750)
    assert act("roll-back", way="at_once") == ("rolled_back", 0)


def test_an_action_without_a_reason_says_so_and_moves_nothing(world: World) -> None:
    rollout = world.roll_out()
    answer = page_as(world.cast, "operator").post(url(rollout, "pause"), {"reason": " "}, follow=True)
    assert "Say why: the reason is kept in the decision log." in answer.content.decode()
    rollout.refresh_from_db()
    assert rollout.state == "running"
    assert page_as(world.cast, "operator").get(url(rollout, "pause")).status_code == 405


def test_a_breach_tells_what_happened_leads_to_the_incident_and_shows_the_way_down(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    drive(rollout, clock, 3, policy_hits=10)
    controller.tick()
    rollout.refresh_from_db()
    page = shown(world, "operator", rollout)
    assert "Rolling back" in page
    assert "Began to roll back: from 2\u00a0% to 1.5\u00a0%." in page
    assert f"/incidents/{rollout.incident_id}/" in page
    assert "get the safe mode until the incident is mitigated." in page
    assert "The way down" in page
    assert "Cut now" in page


def test_a_finished_rollback_keeps_its_story_and_offers_nothing(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    services.roll_back(
        actor=world.cast.actor("operator"),
        project_id=world.cast.project.pk,
        rollout_id=rollout.pk,
        reason="Wrong tone.",
        at_once=True,
    )
    page = shown(world, "operator", rollout)
    assert "Took all traffic away at once (was 2\u00a0%)." in page
    assert "Wrong tone." in page
    assert "get the stable release." in page
    assert "data-live-region" not in page


@pytest.mark.parametrize(
    "state", ["pending", "running", "paused", "rolling_back", "completed", "rolled_back", "aborted"]
)
def test_every_state_has_a_page(world: World, clock: clocks.ManualClock, state: str) -> None:
    rollout = world.roll_out()
    Rollout.objects.filter(pk=rollout.pk).update(state=state, finished_at=clock.now(), withdrawn_bp=200)
    assert f'data-status="{state}"' in shown(world, "operator", rollout)
    assert page_as(world.cast, "operator").get(f"{url(rollout)}?span=all").status_code == 200


def test_late_telemetry_is_said(world: World, clock: clocks.ManualClock) -> None:
    rollout = world.roll_out()
    drive(rollout, clock, 1)
    assert "Telemetry is late" not in shown(world, "operator", rollout)
    clock.advance(minutes=5)
    assert "Telemetry is late" in shown(world, "operator", rollout)


def test_the_live_fragments_are_conditional_and_end_with_the_rollout(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    client = page_as(world.cast, "operator")
    for fragment in ("live", "actions"):
        first = client.get(url(rollout, fragment))
        same = client.get(url(rollout, fragment), headers={"if-none-match": first["ETag"]})
        assert (first.status_code, same.status_code) == (200, 304)
        clock.advance(seconds=20)
        later = client.get(url(rollout, fragment), headers={"if-none-match": first["ETag"]})
        assert later.status_code == 200
    services.roll_back(
        actor=world.cast.actor("operator"),
        project_id=world.cast.project.pk,
        rollout_id=rollout.pk,
        reason="Stop.",
        at_once=True,
    )
    assert client.get(url(rollout, "live")).status_code == 286
    assert client.get(url(rollout, "actions")).status_code == 286


def test_the_page_takes_a_fixed_number_of_queries_however_much_was_recorded(
    world: World, clock: clocks.ManualClock, count_queries: Any
) -> None:
    rollout = world.roll_out()
    client = page_as(world.cast, "operator")
    drive(rollout, clock, 1)
    client.get(url(rollout))
    with count_queries() as few:
        client.get(url(rollout))
    drive(rollout, clock, 4)
    controller.tick()
    with count_queries() as many:
        client.get(url(rollout))
    assert len(many) <= len(few) <= 26
    with count_queries() as polled:
        etag = client.get(url(rollout, "live"))["ETag"]
    with count_queries() as unchanged:
        client.get(url(rollout, "live"), headers={"if-none-match": etag})
    assert len(unchanged) < len(polled)
    assert len(unchanged) <= 8
