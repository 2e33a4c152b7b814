from __future__ import annotations

import re
from typing import Any

import pytest

from releases import services
from releases.models import Promotion, Vote
from tests.releases.clients import page_as
from tests.world import GATES_RUN, PLAN, World, production_policy


def url(promotion: Promotion, action: str = "") -> str:
    return f"/releases/promotions/{promotion.pk}/{f'{action}/' if action else ''}"


def shown(world: World, role: str, promotion: Promotion) -> str:
    answer = page_as(world.cast, role).get(url(promotion))
    assert answer.status_code == 200
    return str(answer.content.decode())


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, name
    return found[1]


def test_while_checking_nobody_has_to_do_anything(world: World) -> None:
    page = shown(world, "approver", world.request())
    assert "The checks are running (static, smoke and danger)." in page
    assert page.count('data-status="running"') == len(GATES_RUN)
    assert "Approve</button>" not in page


def test_a_passed_promotion_names_who_is_awaited_and_who_may_not(world: World) -> None:
    page = shown(world, "approver", world.check(world.request()))
    assert "Waiting for 1 more approval from an approver or an owner" in page
    assert (
        "not from writer@acme, who wrote it; nor from engineer@acme, who composed and requested it." in page
    )
    assert "/reports/sha256:" in page, "the evidence is one click away"


def test_the_approve_form_carries_both_digests_and_works_without_javascript(world: World) -> None:
    promotion = world.check(world.request())
    page = shown(world, "approver", promotion)
    form = {name: hidden(page, name) for name in ("release_digest", "evidence_digest")}
    answer = page_as(world.cast, "approver").post(url(promotion, "approve"), form | {"comment": "Fine."})
    assert (answer.status_code, answer["Location"]) == (302, url(promotion))
    promotion.refresh_from_db()
    assert promotion.state == "approved"
    assert "Fine." in shown(world, "approver", promotion)


def test_an_approval_of_what_has_changed_since_is_refused_in_words(world: World) -> None:
    promotion = world.check(world.request())
    old = {
        name: hidden(shown(world, "approver", promotion), name)
        for name in ("release_digest", "evidence_digest")
    }
    services.recheck_promotion(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.pk, promotion_id=promotion.pk
    )
    world.check(promotion)
    client = page_as(world.cast, "approver")
    answer = client.post(url(promotion, "approve"), old, follow=True)
    assert "The checks ran again since you looked." in answer.content.decode()
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("engineer", "An approval needs the role approver or owner"),
        ("auditor", "An approval needs the role approver or owner"),
        ("owner", "You wrote, composed or requested this; somebody else has to approve it."),
    ],
)
def test_the_page_says_why_you_may_not_approve(world: World, role: str, words: str) -> None:
    promotion = world.check(world.request(world.compose(actor="owner"), actor="owner"))
    page = shown(world, role, promotion)
    assert words in page
    assert "Approve</button>" not in page


def test_an_approval_that_no_longer_counts_says_why(world: World) -> None:
    promotion = world.check(world.request())
    services.change_policy(
        actor=world.cast.actor("owner"),
        project_id=world.cast.project.pk,
        environment_id=world.cast.production.pk,
        body=production_policy(quorum=2),
    )
    world.approve(world.check(promotion))
    services.change_plan(
        actor=world.cast.actor("engineer"),
        project_id=world.cast.project.pk,
        promotion_id=promotion.pk,
        plan={"steps": [PLAN["steps"][0] | {"min_samples": 21}, *PLAN["steps"][1:]]},
        reason="More samples.",
    )
    page = shown(world, "auditor", promotion)
    assert "No longer counts: the plan changed after this vote." in page
    assert "Waiting for 2 more approvals" in page


def test_a_blocked_promotion_says_what_to_do(world: World) -> None:
    promotion = world.request()
    Promotion.objects.filter(pk=promotion.pk).update(state="blocked", outcome="The smoke gate did not pass.")
    page = shown(world, "engineer", promotion)
    assert "The smoke gate did not pass. engineer@acme runs the checks again" in page
    assert "Run the checks again" in page


@pytest.mark.parametrize(
    "state", ["live", "rejected", "cancelled", "expired", "superseded", "rolled_back", "approved"]
)
def test_every_other_state_has_a_page(world: World, state: str) -> None:
    promotion = world.check(world.request())
    Promotion.objects.filter(pk=promotion.pk).update(state=state, outcome="It ended so.")
    page = shown(world, "owner", promotion)
    assert f'data-status="{state}"' in page


def test_rejecting_cancelling_and_changing_the_plan_are_forms(world: World) -> None:
    first, second, third = (world.check(world.request()) for _ in range(3))
    approver, engineer = page_as(world.cast, "approver"), page_as(world.cast, "engineer")
    approver.post(url(first, "reject"), {"reason": "Too long."})
    engineer.post(url(second, "cancel"), {"reason": "Later."})
    wrong = engineer.post(url(third, "plan"), {"plan": "{", "reason": "Faster."}, follow=True)
    assert "this is not JSON" in wrong.content.decode()
    for one in (first, second, third):
        one.refresh_from_db()
    assert (first.state, second.state, third.state) == ("rejected", "cancelled", "awaiting_approval")


def test_the_live_fragment_is_conditional_and_ends_with_the_promotion(world: World) -> None:
    promotion = world.check(world.request())
    client = page_as(world.cast, "approver")
    first = client.get(url(promotion, "live"))
    assert client.get(url(promotion, "live"), headers={"if-none-match": first["ETag"]}).status_code == 304
    world.approve(promotion)
    changed = client.get(url(promotion, "live"), headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    services.reject_promotion(
        actor=world.cast.actor("owner"),
        project_id=world.cast.project.pk,
        promotion_id=promotion.pk,
        reason="No.",
    )
    assert client.get(url(promotion, "live")).status_code == 286
    assert client.get(url(promotion, "decide")).status_code == 286


def test_the_list_filters_and_needs_no_query_per_row(world: World, count_queries: Any) -> None:
    client = page_as(world.cast, "auditor")
    world.request()
    client.get("/releases/promotions/")
    with count_queries() as one:
        client.get("/releases/promotions/")
    world.check(world.request())
    with count_queries() as two:
        page = client.get("/releases/promotions/").content.decode()
    assert len(two) == len(one) <= 18
    assert page.count("ps-row-link") == 2
    assert "No promotion matches" in client.get("/releases/promotions/?state=live").content.decode()
    assert client.get("/releases/promotions/?state=asleep").status_code == 400
