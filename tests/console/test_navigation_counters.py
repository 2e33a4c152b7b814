"""What the rail counts, and what it costs."""

from __future__ import annotations

from typing import Any
from typing import cast as typed_as

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from promptstore.console import counters
from promptstore.console.home.waiting import waiting_for
from promptstore.core.clock import ManualClock
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import Role
from providers.scripted import ScriptedServer
from registry.services import features
from releases.models import Promotion
from tests.cast import Cast
from tests.incidents.incident_cast import opened
from tests.world import World, make_world


def looked_at_by(cast: Cast, role: str) -> HttpRequest:
    request = typed_as("ProjectRequest", RequestFactory().get("/"))
    request.actor, request.project = cast.actor(role), cast.project
    return request


def waiting(world: World) -> dict[str, int]:
    """How many approvals each role's person is shown."""
    return {
        role.value: count
        for role in Role
        if (count := counters.approvals_waiting(looked_at_by(world.cast, role.value)))
    }


def asked(world: World) -> Promotion:
    promotion = world.check(world.request())
    assert promotion.state == "awaiting_approval", promotion.outcome
    return promotion


def test_open_incidents_of_the_project_are_counted(
    cast: Cast, strangers: Cast, clock: ManualClock, count_queries: Any
) -> None:
    opened(cast)
    opened(cast, dedup_key="other")
    opened(strangers)

    with count_queries() as seen:
        assert counters.open_incidents(looked_at_by(cast, "annotator")) == 2
    assert len(seen) == 1


def test_a_promotion_waits_for_those_who_may_vote_and_have_not(world: World, count_queries: Any) -> None:
    asked(world)
    assert waiting(world) == {"approver": 1, "owner": 1}

    with count_queries() as seen:
        counters.approvals_waiting(looked_at_by(world.cast, "owner"))
    assert len(seen) == 1


def test_authors_requesters_and_strangers_are_not_asked(world: World, strangers: Cast) -> None:
    world.check(world.request(actor="owner"))

    assert waiting(world) == {"approver": 1}
    assert counters.approvals_waiting(looked_at_by(strangers, "owner")) == 0


def test_an_appointed_approver_is_asked_although_the_policy_names_other_roles(
    cast: Cast, provider: ScriptedServer, clock: ManualClock
) -> None:
    world = make_world(cast, provider, approver_roles=["owner"])
    asked(world)
    assert waiting(world) == {"owner": 1}

    features.appoint_approver(
        actor=cast.actor("owner"), feature_id=world.feature.pk, user_id=cast.users["approver"].pk
    )
    assert waiting(world) == {"approver": 1, "owner": 1}


def test_a_vote_that_counts_is_not_asked_for_again(
    cast: Cast, provider: ScriptedServer, clock: ManualClock
) -> None:
    world = make_world(cast, provider, quorum=2)
    promotion = asked(world)
    world.approve(promotion)

    assert waiting(world) == {"owner": 1}


@pytest.mark.parametrize("role", Role)
def test_the_rail_counts_what_home_lists(world: World, role: Role) -> None:
    asked(world)
    actor = world.cast.actor(role.value)
    listed = [one for one in waiting_for(actor, world.cast.project.pk) if one.text.startswith("Approve")]

    assert counters.approvals_waiting(looked_at_by(world.cast, role.value)) == len(listed)


def test_the_rail_shows_both_counts(world: World) -> None:
    asked(world)
    opened(world.cast)
    client = Client()
    client.force_login(world.cast.users["approver"])

    counts = {item.label: item.count for item in client.get("/features/").context["nav"]}
    assert (counts["Releases"], counts["Incidents"]) == (1, 1)
