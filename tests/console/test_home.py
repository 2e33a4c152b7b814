from __future__ import annotations

from typing import Any

import pytest

from promptstore.console.home.changes import changes
from promptstore.console.home.health import health
from promptstore.console.home.views import home
from promptstore.console.home.waiting import waiting_for
from promptstore.core import clock as clocks
from promptstore.core import keys
from promptstore.core.models import User
from releases import controller
from releases.models import Promotion
from reviews import services as reviews
from tests.reviews.review_cast import claim, fields, queue
from tests.traffic import record
from tests.world import World


def waiting(world: World, role: str) -> list[str]:
    return [one.text for one in waiting_for(world.cast.actor(role), world.cast.project.pk)]


def page(world: World, role: str, rf: Any) -> str:
    request = rf.get("/")
    request.user = world.cast.users[role]
    request.session = {}
    request.actor = world.cast.actor(role)
    request.project = world.cast.project
    request.environment = world.cast.production
    answer = home(request)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_production_without_calls_is_unknown_not_healthy(world: World) -> None:
    found = health(world.cast.project.pk)
    assert [row.status for row in found.rows] == ["unknown"]
    assert found.sentence == "Production has had no calls in the last hour, so its health is unknown."


def test_a_live_rollout_shows_weight_time_to_go_and_the_last_hours_calls(
    world: World, clock: clocks.ManualClock, rf: Any
) -> None:
    rollout = world.roll_out()
    clock.advance(minutes=2)
    record(rollout, "candidate", 10, errors=1)
    record(rollout, "stable", 90, policy_hits=2)
    row = health(world.cast.project.pk).rows[0]
    assert row.status == "healthy"
    assert row.rollout is not None
    assert row.rollout.seconds_to_go == 180
    assert (row.counts.calls, row.counts.errors, row.counts.policy_hits) == (100, 1, 2)
    text = page(world, "operator", rf)
    assert "Production is healthy." in text
    assert "1.1.0 at 2\u00a0%" in text
    assert "3\u00a0min to go in this step" in text
    assert "1\u00a0% · 1 of 100" in text


def test_calls_older_than_an_hour_do_not_count(world: World, clock: clocks.ManualClock) -> None:
    rollout = world.roll_out()
    record(rollout, "stable", 90)
    clock.advance(minutes=90)
    assert health(world.cast.project.pk).rows[0].counts.calls == 0


def test_a_breach_asks_for_attention_and_its_incident_waits_for_operators(
    world: World, clock: clocks.ManualClock, rf: Any
) -> None:
    rollout = world.roll_out()
    for _ in range(3):
        clock.advance(minutes=1)
        record(rollout, "candidate", 20, policy_hits=10)
    controller.tick()
    found = health(world.cast.project.pk)
    assert found.sentence == "1 of 1 feature needs attention in production."
    assert [row.status for row in found.rows] == ["degraded"]
    assert waiting(world, "operator") == ["Acknowledge P1: assistant 1.1.0 is rolled back in production"]
    assert waiting(world, "auditor") == []
    assert "Rolling back" in page(world, "operator", rf)


def test_an_approval_waits_for_those_whose_vote_would_count(world: World) -> None:
    promotion = world.check(world.request(world.compose(actor="owner"), actor="owner"))
    assert waiting(world, "approver") == ["Approve or reject assistant 1.1.0 to production"]
    assert waiting(world, "owner") == [], "an owner does not approve what they composed"
    world.approve(promotion)
    assert waiting(world, "approver") == []


def test_my_blocked_promotions_and_drafts_wait_for_me_alone(world: World) -> None:
    promotion = world.request()
    Promotion.objects.filter(pk=promotion.pk).update(state="blocked", outcome="The smoke gate did not pass.")
    assert waiting(world, "engineer") == ["Look at why assistant 1.1.0 to production is blocked"]
    draft = world.prompt.drafts.get(name="main")
    draft.contributors = [str(world.cast.users["writer"].pk)]
    draft.save()
    assert waiting(world, "writer") == ["Publish your draft of assistant"]
    assert waiting(world, "owner") == []


def test_answers_wait_for_those_who_judge_and_escalated_ones_for_those_who_decide(
    world: World, settings: Any
) -> None:
    queue(world, settings, candidate=3)
    assert waiting(world, "annotator") == ["Judge 3 answers of the live rollouts"]
    assert waiting(world, "operator") == []
    reviews.escalate_item(**fields(world.cast, claim(world.cast), reason="Odd."))
    assert waiting(world, "annotator") == ["Judge 2 answers of the live rollouts"]
    assert waiting(world, "approver") == ["Decide on one answer that could not be settled by labels"]


def test_changes_are_sentences_that_lead_to_their_objects(world: World) -> None:
    rollout = world.roll_out()
    told = changes(world.cast.actor("operator"), world.cast.project.pk)
    started = next(one for one in told if "started" in one.text)
    assert started.actor == "controller"
    assert started.url == f"/releases/rollouts/{rollout.pk}/"
    assert told == sorted(told, key=lambda one: one.at, reverse=True)


def test_what_only_readers_of_the_audit_log_may_know_is_not_told_to_others(world: World) -> None:
    keys.create_service_key(
        actor=world.cast.actor("owner"), environment=world.cast.production, name="shop", scopes=["serve"]
    )
    project = world.cast.project.pk
    assert any("shop" in one.text for one in changes(world.cast.actor("auditor"), project))
    assert not any("shop" in one.text for one in changes(world.cast.actor("writer"), project))


def test_changes_end_after_a_day(world: World, clock: clocks.ManualClock) -> None:
    clock.advance(hours=25)
    assert changes(world.cast.actor("operator"), world.cast.project.pk) == []


@pytest.mark.parametrize(
    "role", ["writer", "engineer", "annotator", "approver", "operator", "auditor", "owner"]
)
def test_every_role_has_a_home(world: World, rf: Any, role: str) -> None:
    assert "Since yesterday" in page(world, role, rf)


def test_home_follows_by_itself_and_is_silent_while_nothing_changes(
    world: World, clock: clocks.ManualClock, client: Any
) -> None:
    client.force_login(world.cast.users["operator"])
    first = client.get("/live/")
    assert "Production has had no calls" in first.content.decode()
    assert client.get("/live/", headers={"If-None-Match": first["ETag"]}).status_code == 304
    rollout = world.roll_out()
    clock.advance(minutes=1)
    record(rollout, "stable", 90)
    after = client.get("/live/", headers={"If-None-Match": first["ETag"]})
    assert "Production is healthy." in after.content.decode()


def test_whoever_belongs_to_no_project_is_told_what_to_do(db: None, rf: Any) -> None:
    request = rf.get("/")
    request.user = User.objects.create_user(username="newcomer")
    request.session, request.project, request.environment = {}, None, None
    assert "Ask an owner of a project" in home(request).content.decode()


def test_home_takes_a_bounded_number_of_queries(world: World, rf: Any, count_queries: Any) -> None:
    world.roll_out()
    with count_queries() as seen:
        page(world, "owner", rf)
    assert len(seen) <= 30
