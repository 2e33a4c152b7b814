"""Rollouts in shadow: the candidate answers copies of calls, nobody sees them, and nobody gets around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from incidents.models import Incident
from promptstore.core.clock import ManualClock
from promptstore.core.errors import Conflict, InvalidInput
from promptstore.core.models import Environment
from releases import controller, services
from releases.measuring import samples_in_step, spent_in_steps
from releases.models import EnvironmentPolicy, Promotion, Rollout
from releases.routing import Arm
from releases.selectors.rollouts import rollout_view
from serving.models import Document
from serving.publisher import publish
from tests.traffic import record
from tests.world import PLAN, SHADOW, World, production_policy

# 8,800 nano-dollars a call; see `tests.traffic`.
BUDGET = 30 * 8_800
WITH_BUDGET = {"steps": [SHADOW | {"max_cost_nanos": BUDGET, "min_samples": 100}, *PLAN["steps"][1:]]}
UNSEEN = {"steps": PLAN["steps"][1:]}


def minutes_in_shadow(rollout: Rollout, clock: ManualClock, minutes: int = 6, **faults: Any) -> Rollout:
    """Calls that stable answers, each copied to the candidate; then a tick."""
    for _ in range(minutes):
        record(rollout, "stable", 20)
        record(rollout, "shadow", 20, **faults)
        clock.advance(minutes=1)
    controller.tick()
    rollout.refresh_from_db()
    return rollout


def document(world: World) -> dict[str, Any]:
    """What nodes are told of the feature's rollout."""
    root = publish(world.cast.production.pk)
    digest = json.loads(bytes(root.body))["documents"]["assistant"]
    found = json.loads(bytes(Document.objects.get(pk=digest).body))["rollout"]
    return dict(found or {})


def test_it_begins_in_shadow_and_tells_the_nodes_what_to_copy(world: World) -> None:
    rollout = world.shadow()
    assert (rollout.state, rollout.step_index, rollout.weight_bp, rollout.mirrored_bp) == (
        "running",
        0,
        0,
        10_000,
    )
    told = document(world)
    assert (told["candidate_bp"], told["shadow_bp"], told["pairs_bp"]) == (0, 10_000, 5_000)


def test_from_shadow_it_goes_to_the_canary_and_copies_end(world: World, clock: ManualClock) -> None:
    rollout = minutes_in_shadow(world.shadow(), clock)
    assert (rollout.step_index, rollout.weight_bp, rollout.mirrored_bp) == (1, 200, 0)
    told = document(world)
    assert "shadow_bp" not in told
    assert told["pairs_bp"] == 5_000
    assert rollout.decisions.order_by("-number")[0].sentences == [
        "Time, samples and all rules passed in shadow."
    ]


def test_calls_without_copies_move_nothing(world: World, clock: ManualClock) -> None:
    rollout = world.shadow()
    for _ in range(10):
        record(rollout, "stable", 50)
        record(rollout, "candidate", 50)
        clock.advance(minutes=1)
    assert controller.tick() == 0


def test_the_copies_are_judged_against_stable_and_stables_own_copies_are_nobodys(
    world: World, clock: ManualClock
) -> None:
    rollout = world.shadow()
    for _ in range(6):
        record(rollout, "stable", 20)
        record(rollout, "shadow", 20)
        clock.advance(minutes=1)
    view = rollout_view(rollout)
    assert {rule.verdict for rule in view.rules} == {"pass"}
    assert view.shadow is not None
    assert view.shadow.share == "120 of 120 calls, 100 %"
    assert view.candidate_calls == 120
    canary = world_at_canary(rollout, clock)
    record(canary, "shadow", 50, policy_hits=50)
    assert {rule.verdict for rule in rollout_view(canary).rules} == {"no_data"}
    assert rollout_view(canary).shadow is None


def world_at_canary(rollout: Rollout, clock: ManualClock) -> Rollout:
    controller.tick()
    clock.advance(hours=1)
    rollout.refresh_from_db()
    assert rollout.step_index == 1
    return rollout


@pytest.mark.parametrize("faults", [{"policy_hits": 20}, {"errors": 20}])
def test_a_breach_in_shadow_ends_it_at_once_and_opens_an_incident(
    world: World, clock: ManualClock, faults: dict[str, int]
) -> None:
    rollout = minutes_in_shadow(world.shadow(), clock, minutes=3, **faults)
    assert (rollout.state, rollout.weight_bp, rollout.withdrawn_bp) == ("rolled_back", 0, 0)
    assert rollout.promotion.state == "rolled_back"
    incident = Incident.objects.get()
    assert "None of the candidate's answers was shown" in incident.summary
    assert incident.evidence["samples"]
    assert document(world) == {}
    # Nobody had it, so nothing is withdrawn and the next one may start.
    again = world.check(world.request(world.compose()))
    world.approve(again)
    assert services.start_promotion(promotion_id=again.id)


def test_a_spent_budget_ends_the_copies_and_the_step_holds(world: World, clock: ManualClock) -> None:
    promotion = world.check(world.request(plan=WITH_BUDGET))
    world.approve(promotion)
    services.start_promotion(promotion_id=promotion.id)
    rollout = Rollout.objects.get()
    record(rollout, "stable", 80)
    record(rollout, "shadow", 29)
    controller.tick()
    rollout.refresh_from_db()
    assert rollout.mirrored_bp == 10_000
    record(rollout, "shadow", 1)
    assert controller.tick() == 1
    assert controller.tick() == 0
    rollout.refresh_from_db()
    assert (rollout.state, rollout.step_index, rollout.mirrored_bp) == ("running", 0, 0)
    assert [one.kind for one in rollout.decisions.order_by("number")] == ["start", "stop_mirroring"]
    assert "shadow_bp" not in document(world)
    clock.advance(days=3)
    assert controller.tick() == 0
    view = rollout_view(rollout)
    assert view.waits_for[0].startswith("The budget of $0.000264 for copies of calls is spent")
    assert view.shadow is not None
    assert (view.shadow.share, view.shadow.spent) == ("30 of 80 calls, 37.5 %", "$0.000264 of $0.000264")
    services.roll_back(
        actor=world.cast.actor("operator"),
        project_id=world.cast.project.id,
        rollout_id=rollout.id,
        reason="Too small a budget.",
    )
    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"


def test_copies_go_on_while_it_is_paused_and_end_when_it_goes_down(world: World, clock: ManualClock) -> None:
    rollout = world.shadow()
    operator, project = world.cast.actor("operator"), world.cast.project.id
    services.pause_rollout(actor=operator, project_id=project, rollout_id=rollout.id, reason="Lunch.")
    assert document(world)["shadow_bp"] == 10_000
    minutes_in_shadow(rollout, clock)
    assert (rollout.state, rollout.step_index) == ("paused", 0)
    services.roll_back(actor=operator, project_id=project, rollout_id=rollout.id, reason="Enough.")
    rollout.refresh_from_db()
    assert (rollout.state, rollout.mirrored_bp) == ("rolled_back", 0)
    assert document(world) == {}


def test_nobody_skips_the_shadow(world: World, clock: ManualClock) -> None:
    rollout = world.shadow()
    owner, project = world.cast.actor("owner"), world.cast.project.id
    with pytest.raises(Conflict) as refused:
        services.advance_rollout(
            actor=owner, project_id=project, rollout_id=rollout.id, expected_step=0, reason="In a hurry."
        )
    assert (refused.value.code, refused.value.detail) == (
        "canary_not_met",
        "The shadow step still lacks 300 s and 20 samples; nobody skips it.",
    )


def test_samples_and_costs_are_those_of_the_step(world: World, clock: ManualClock) -> None:
    rollout = world.shadow()
    record(rollout, "stable", 7)
    record(rollout, "shadow", 5)
    assert samples_in_step(rollout) == {Arm.STABLE: 7, Arm.SHADOW: 5}
    assert spent_in_steps([rollout]) == {rollout.pk: 5 * 8_800}


# --- policies and plans from before there were shadow steps ------------------------------------------------


@pytest.fixture
def old_policy(world: World) -> EnvironmentPolicy:
    """What an earlier version put in force; today's service would refuse it."""
    body = production_policy(plan=UNSEEN)
    return EnvironmentPolicy.objects.create(
        project=world.cast.project,
        environment=world.cast.production,
        number=2,
        body=body,
        digest="sha256:old",
    )


def test_a_promotion_under_an_old_policy_is_refused_with_what_to_do(
    world: World, old_policy: EnvironmentPolicy
) -> None:
    with pytest.raises(Conflict) as refused:
        world.request()
    assert (refused.value.code, refused.value.field) == ("no_shadow", "plan")
    assert "An owner adds one to its plan" in refused.value.detail
    # Whoever brings a fit plan need not wait for the owner.
    assert world.request(plan=PLAN).plan["steps"][0]["kind"] == "shadow"


def test_every_page_says_that_it_is_in_shadow(world: World, client: Client) -> None:
    rollout = world.shadow()
    record(rollout, "stable", 4)
    record(rollout, "shadow", 3)
    client.force_login(world.cast.users["operator"])
    own = client.get(f"/releases/rollouts/{rollout.pk}/").content.decode()
    assert "3 of 4 calls, 75 %" in own
    assert "Started in shadow." in own
    assert "Pause in shadow?" in own
    assert "No user ever got the candidate, so nobody notices." in own
    assert "In steps" not in own
    pages = (
        "/releases/",
        f"/releases/promotions/{rollout.promotion_id}/",
        f"/releases/deployments/{rollout.deployment_id}/",
        f"/releases/{rollout.candidate_id}/",
    )
    for path in pages:
        assert "in shadow" in client.get(path).content.decode(), path


def test_the_page_of_an_old_policy_says_what_is_missing(
    world: World, old_policy: EnvironmentPolicy, client: Client
) -> None:
    client.force_login(world.cast.users["owner"])
    page = "/releases/environments/production/policy/"
    assert "The plan needs a shadow step" in client.get(page).content.decode()
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(quorum=2),
    )  # fmt: skip
    assert "The plan needs a shadow step" not in client.get(page).content.decode()


def test_what_was_approved_before_the_upgrade_is_superseded_and_not_started(world: World) -> None:
    # Staging takes such a plan; then it is called production, as if the demand were new.
    cast = world.cast
    services.change_policy(
        actor=cast.actor("owner"), project_id=cast.project.id, environment_id=cast.staging.id,
        body=production_policy(plan=UNSEEN),
    )  # fmt: skip
    promotion = services.request_promotion(
        actor=cast.actor("engineer"), project_id=cast.project.id, release_id=world.compose().id,
        environment_id=cast.staging.id,
    )  # fmt: skip
    world.approve(world.check(promotion))
    Environment.objects.filter(pk=cast.staging.pk).update(kind="production")
    assert services.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert promotion.state == "superseded"
    assert "no shadow step" in promotion.outcome
    assert not Rollout.objects.exists()


def test_a_plan_without_a_shadow_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.request(plan=UNSEEN)
    assert (refused.value.code, refused.value.field) == ("no_shadow", "steps[0].kind")
    assert not Promotion.objects.exists()


def test_the_database_takes_no_promotion_around_the_shadow(world: World) -> None:
    promotion = world.request()
    unseen: list[Any] = UNSEEN["steps"]
    for steps in ([], unseen):
        with pytest.raises(IntegrityError, match="begins with a shadow step"), transaction.atomic():
            Promotion.objects.filter(pk=promotion.pk).update(plan={"steps": steps})


def test_the_database_takes_no_rollout_around_its_plan(world: World) -> None:
    rollout = world.shadow()
    for changes, why in (
        ({"weight_bp": 200}, "weight of its step"),
        ({"step_index": 1, "weight_bp": 201}, "weight of its step"),
        ({"step_index": 2, "weight_bp": 0}, "one by one"),
    ):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            Rollout.objects.filter(pk=rollout.pk).update(**changes)


def test_staging_may_go_without_a_shadow(world: World) -> None:
    plan = {"steps": [{"weight_bp": 10_000, "min_duration_s": 1, "min_samples": 1}]}
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.staging.id,
        body={"quorum": 0, "plan": plan},
    )  # fmt: skip
    promotion = services.request_promotion(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, release_id=world.compose().id,
        environment_id=world.cast.staging.id,
    )  # fmt: skip
    assert promotion.plan == plan
