from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from promptstore.core.models import AuditEvent, Membership
from registry.services import configs
from releases import services
from releases.models import Rollout, Vote
from releases.selectors.policies import policy_of
from releases.services.votes import counted_voters
from tests.cast import Cast
from tests.world import CONFIG_BODY, GATES_RUN, PLAN, World, production_policy


def test_a_release_pins_every_version_it_can_reach(world: World) -> None:
    release = world.compose()
    assert [pin["version"] for pin in release.manifest["prompts"]] == ["1.0.1"]
    assert release.manifest["models"]["primary"]["version"] == "1.0.0"
    assert release.version == "1.1.0"
    assert release.digest.startswith("sha256:")


def test_a_mutable_name_in_a_release_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.compose_release(
            actor=world.cast.actor("engineer"), project_id=world.cast.project.id, feature="assistant",
            prompts={"assistant": "1.0.0"}, models={"primary": "small"}, config="assistant@1.0.0",
        )  # fmt: skip
    assert refused.value.code == "mutable_name"
    assert refused.value.field == "models.primary"


def test_a_breaker_that_falls_back_to_a_cheap_model_wants_one_pinned(world: World) -> None:
    configs.publish_config_version(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, name="assistant", version="1.1.0",
        body={**CONFIG_BODY, "breaker": {"fallbacks": ["cheap"]}},
    )  # fmt: skip
    wanted: dict[str, Any] = {
        "actor": world.cast.actor("engineer"), "project_id": world.cast.project.id, "feature": "assistant",
        "prompts": {"assistant": "1.0.0"}, "config": "assistant@1.1.0",
    }  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        services.compose_release(**wanted, models={"primary": "small@1.0.0"})
    assert refused.value.field == "models.cheap"
    release = services.compose_release(**wanted, models={"primary": "small@1.0.0", "cheap": "small@1.0.0"})
    assert set(release.manifest["models"]) == {"primary", "cheap"}


def test_gates_that_pass_put_a_promotion_before_its_approvers(world: World) -> None:
    promotion = world.check(world.request())
    assert promotion.state == "awaiting_approval"
    evidence = promotion.evidence.get()
    assert {row["gate"]: row["verdict"] for row in evidence.reports} == dict.fromkeys(GATES_RUN, "pass")


def test_an_answer_outside_the_output_schema_blocks_the_promotion(world: World) -> None:
    world.provider.script({"default": {"answer": "Sure, here is an idea!"}})
    promotion = world.check(world.request())
    assert promotion.state == "blocked"
    assert "smoke gate did not pass" in promotion.outcome


def test_a_provider_that_fails_is_an_error_and_not_a_verdict_on_the_release(world: World) -> None:
    world.provider.script({"default": {"status": 503}})
    promotion = world.check(world.request())
    assert promotion.state == "blocked"
    assert promotion.evidence.get().verdict == "error"
    world.provider.script({"default": {"answer": '{"key": "a", "value": "b"}'}})
    services.recheck_promotion(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, promotion_id=promotion.id
    )
    assert world.check(promotion).state == "awaiting_approval"


def test_an_approval_starts_the_rollout_in_shadow(world: World) -> None:
    rollout = world.shadow()
    assert (rollout.state, rollout.weight_bp, rollout.step_index) == ("running", 0, 0)
    assert rollout.decisions.get().kind == "start"


@pytest.mark.parametrize("role", ["writer", "engineer"])
def test_who_made_the_change_may_not_approve_it_even_as_an_approver(world: World, role: str) -> None:
    promotion = world.check(world.request())
    membership = Membership.objects.get(user=world.cast.users[role], project=world.cast.project)
    membership.roles = [role, "approver"]
    membership.save()
    with pytest.raises(NotAllowed) as refused:
        world.approve(promotion, actor=role)
    assert refused.value.code == "own_change"
    assert not Vote.objects.exists()
    promotion.refresh_from_db()
    assert promotion.state == "awaiting_approval"


@pytest.mark.parametrize("role", ["annotator", "operator", "auditor"])
def test_roles_without_the_right_may_not_approve(world: World, role: str) -> None:
    promotion = world.check(world.request())
    with pytest.raises(NotAllowed):
        world.approve(promotion, actor=role)
    assert not Vote.objects.exists()


def test_voting_twice_counts_once(world: World) -> None:
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(quorum=2),
    )  # fmt: skip
    promotion = world.check(world.request())
    world.approve(promotion)
    promotion = world.approve(promotion)
    assert Vote.objects.count() == 1
    assert promotion.state == "awaiting_approval"
    assert world.approve(promotion, actor="owner").state == "approved"


def test_an_approval_of_results_that_are_no_longer_current_is_refused(world: World) -> None:
    promotion = world.check(world.request())
    old = promotion.evidence.get()
    services.recheck_promotion(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, promotion_id=promotion.id
    )
    world.check(promotion)
    with pytest.raises(Conflict) as refused:
        services.approve_promotion(
            actor=world.cast.actor("approver"), project_id=world.cast.project.id, promotion_id=promotion.id,
            release_digest=promotion.release.digest, evidence_digest=old.digest,
        )  # fmt: skip
    assert refused.value.code == "stale_approval"


def test_a_changed_policy_after_approval_dismisses_it(world: World) -> None:
    promotion = world.check(world.request())
    world.approve(promotion)
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(rollback_interval_s=60),
    )  # fmt: skip
    promotion.refresh_from_db()
    assert promotion.state == "checking"
    assert not services.start_promotion(promotion_id=promotion.id)
    promotion = world.check(promotion)
    assert counted_voters(promotion, policy_of(promotion.policy)) == []
    assert not Rollout.objects.exists()


def test_a_changed_plan_after_approval_dismisses_it(world: World) -> None:
    promotion = world.check(world.request())
    world.approve(promotion)
    slower = {"steps": [{**step, "min_duration_s": 600} for step in PLAN["steps"]]}
    promotion = services.change_plan(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, promotion_id=promotion.id, plan=slower,
        reason="More time.",
    )  # fmt: skip
    assert promotion.state == "awaiting_approval"
    assert counted_voters(promotion, policy_of(promotion.policy)) == []


def test_an_approver_who_lost_the_role_before_the_start_no_longer_counts(world: World) -> None:
    promotion = world.check(world.request())
    world.approve(promotion)
    membership = Membership.objects.get(user=world.cast.users["approver"])
    membership.roles = ["annotator"]
    membership.save()
    services.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert promotion.state == "awaiting_approval"
    assert not Rollout.objects.exists()


def test_a_rejection_after_the_quorum_and_before_the_start_wins(world: World) -> None:
    promotion = world.check(world.request())
    world.approve(promotion)
    services.reject_promotion(
        actor=world.cast.actor("owner"),
        project_id=world.cast.project.id,
        promotion_id=promotion.id,
        reason="Not today.",
    )
    assert not services.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert (promotion.state, promotion.outcome) == ("rejected", "Not today.")


def test_a_second_rollout_waits_for_the_first(world: World) -> None:
    first, second = world.check(world.request()), world.check(world.request(world.compose()))
    for promotion in (first, second):
        world.approve(promotion)
        services.start_promotion(promotion_id=promotion.id)
    second.refresh_from_db()
    assert second.state == "approved"
    assert Rollout.objects.count() == 1


def test_a_promotion_that_nobody_decided_in_time_expires(world: World, clock) -> None:  # type: ignore[no-untyped-def]
    promotion = world.check(world.request())
    clock.advance(hours=73)
    assert services.expire_promotions() == 1
    promotion.refresh_from_db()
    assert promotion.state == "expired"


def test_staging_takes_a_release_whole_after_its_gates(world: World) -> None:
    release = world.compose()
    promotion = services.request_promotion(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, release_id=release.id,
        environment_id=world.cast.staging.id,
    )  # fmt: skip
    assert world.check(promotion).state == "approved"
    services.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert promotion.state == "live"
    assert promotion.deployment.stable_release == release


def test_production_refuses_what_is_not_live_in_staging_when_its_policy_says_so(world: World) -> None:
    services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        body=production_policy(requires_live_in="staging"),
    )  # fmt: skip
    with pytest.raises(Conflict) as refused:
        world.request()
    assert refused.value.code == "not_live_before"


def test_another_projects_ids_are_not_found(world: World, strangers: Cast) -> None:
    promotion = world.check(world.request())
    events = AuditEvent.objects.count()
    with pytest.raises(NotFound):
        services.cancel_promotion(
            actor=strangers.actor("owner"),
            project_id=strangers.project.id,
            promotion_id=promotion.id,
            reason="x",
        )
    with pytest.raises(NotAllowed):
        services.recheck_promotion(
            actor=strangers.actor("owner"), project_id=world.cast.project.id, promotion_id=promotion.id
        )
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quorum": 0}, "quorum"),
        ({"plan": None}, "plan"),
        ({"gates": ["static"]}, "gates"),
        (
            {"plan": {"steps": [{"weight_bp": 10_000, "min_duration_s": 1, "min_samples": 1}]}},
            "steps[0].weight_bp",
        ),
        ({"plan": {"steps": PLAN["steps"][1:]}}, "steps[0].kind"),
        ({"rules": []}, "rules"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_policy_that_would_let_production_go_unguarded_is_refused(
    world: World, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.change_policy(
            actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
            body=production_policy(**change),
        )  # fmt: skip
    assert refused.value.field == field


def test_a_release_version_that_is_none_names_the_field(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        services.compose_release(
            actor=world.cast.actor("engineer"), project_id=world.cast.project.id, feature="assistant",
            prompts={"assistant": "1.0.0"}, models={"primary": "small@1.0.0"}, config="assistant@1.0.0", version="one",
        )  # fmt: skip
    assert refused.value.field == "version"
