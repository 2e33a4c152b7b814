from __future__ import annotations

import json
from typing import Any

import pytest

from promptstore.core.errors import DomainError
from registry.datasets import CaseContent, CaseSource, SourceKind
from registry.services.danger import add_danger_case
from releases import services
from releases.models import EnvironmentPolicy
from tests.evals.suites.published import EXACT, freeze, publish, suite_body
from tests.releases.clients import api_as
from tests.world import ANSWER, World, production_policy

STAGING: dict[str, Any] = {"gates": [], "quorum": 0, "plan": None}


def fail_before(world: World, expected: Any) -> None:
    add_danger_case(
        actor=world.cast.actor("annotator"),
        project_id=world.cast.project.id,
        feature=world.feature.slug,
        content=CaseContent(variables={"request": "Less noise in the logs."}, expected=expected),
        source=CaseSource(SourceKind.REVIEW, "1"),
    )


def change(world: World, body: dict[str, Any], *, staging: bool = False) -> EnvironmentPolicy:
    place = world.cast.staging if staging else world.cast.production
    return services.change_policy(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, environment_id=place.id, body=body
    )


def test_a_policy_that_asks_for_no_gate_still_gets_the_danger_set(world: World) -> None:
    change(world, STAGING, staging=True)
    fail_before(world, {"key": "log_level", "value": "error"})
    promotion = world.check(
        services.request_promotion(
            actor=world.cast.actor("engineer"),
            project_id=world.cast.project.id,
            release_id=world.compose().id,
            environment_id=world.cast.staging.id,
        )
    )
    assert (promotion.state, promotion.outcome) == ("blocked", "The danger gate did not pass.")


def test_a_policy_over_the_api_cannot_leave_it_out_either(world: World) -> None:
    fail_before(world, {"key": "log_level", "value": "error"})
    url = "/api/v1/projects/acme/environments/production/policy/"
    client = api_as(world.cast, "owner")
    etag = client.get(url).headers["ETag"]
    body = {"body": production_policy(rollback_interval_s=60)}
    assert client.put(url, body, format="json", headers={"If-Match": etag}).status_code == 200
    assert world.check(world.request()).state == "blocked"


def test_what_is_right_by_now_lets_the_promotion_go_on(world: World) -> None:
    fail_before(world, {"key": "log_level", "value": "warning"})
    promotion = world.check(world.request())
    assert promotion.state == "awaiting_approval", promotion.outcome
    assert promotion.evidence.get().reports[-1]["gate"] == "danger"


def test_a_pinned_suite_gates_a_promotion(world: World) -> None:
    freeze(world.cast, variables=[{"request": "Less noise."}], expected=json.loads(ANSWER))
    publish(world.cast, suite_body(EXACT), version="1.0.0")
    pinned = {"functional": {"suite": "support@1.0.0"}}
    change(world, production_policy(gates=["static", "smoke", "functional"], gate_params=pinned))
    promotion = world.check(world.request())
    ran = [row["gate"] for row in promotion.evidence.get().reports]
    assert (promotion.state, ran) == (
        "awaiting_approval",
        ["static", "smoke", "functional", "danger"],
    ), promotion.outcome


@pytest.mark.parametrize("suite", ["support", "support@2.0.0"])
def test_a_policy_names_the_member_that_pins_nothing(world: World, suite: str) -> None:
    gates = ["static", "smoke", "functional"]
    with pytest.raises(DomainError) as refused:
        change(world, production_policy(gates=gates, gate_params={"functional": {"suite": suite}}))
    assert refused.value.field == "gate_params.functional.suite"
