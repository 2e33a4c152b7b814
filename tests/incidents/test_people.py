"""From a move of a promotion, a rollout or an incident to the people who want to hear of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from incidents import services as incident_services
from incidents.models import Delivery
from incidents.notifications.personal.events import ALL, GROUPS, PersonalEvent, usual
from incidents.notifications.personal.news import News, build
from promptstore.core import outbox
from promptstore.core.actors import system
from promptstore.core.clock import ManualClock
from promptstore.core.keys import actor_for_user
from promptstore.core.models import Membership, OutboxMessage
from promptstore.core.permissions import Role
from registry.services import features
from releases import services as releases
from releases.controller import tick
from releases.selectors.policies import policy_of
from releases.services import votes
from tests.cast import Cast
from tests.incidents.incident_cast import opened
from tests.incidents.mailbox import Mailbox
from tests.incidents.people_cast import choose, give_addresses, tell, told
from tests.incidents.receivers import Receiver
from tests.threads import at_once
from tests.world import World, production_policy


@pytest.fixture
def people(world: World, mailbox: Mailbox) -> World:
    give_addresses(world.cast)
    tell()
    return world


def test_who_may_approve_is_asked_and_the_requester_hears_of_the_quorum(
    people: World, mailbox: Mailbox
) -> None:
    promotion = people.check(people.request())
    tell()
    assert told(people.cast, "approver") == told(people.cast, "owner") == ["approval.requested"]
    assert {address for one in mailbox.recipients for address in one} == {
        "approver@acme.example",
        "owner@acme.example",
    }
    people.approve(promotion)
    tell()
    assert told(people.cast, "engineer") == ["promotion.approved"]
    assert told(people.cast, "approver") == ["approval.requested"]  # the actor does not hear their own act
    letter = mailbox.letters[-1]
    assert letter["Subject"] == "[acme] assistant 1.1.0 is approved for production"
    assert letter["To"] == "engineer@acme.example"
    text = letter.get_body(("plain",))
    assert text is not None
    assert f"https://console.example/releases/promotions/{promotion.pk}/" in text.get_content()


def test_authors_and_requesters_are_not_asked_and_appointed_people_are(people: World) -> None:
    cast = people.cast
    Membership.objects.filter(user=cast.users["writer"]).update(roles=["writer", "owner"])
    Membership.objects.filter(user=cast.users["annotator"]).update(roles=["approver"])
    releases.change_policy(
        actor=cast.actor("owner"),
        project_id=cast.project.pk,
        environment_id=cast.production.pk,
        body=production_policy(approver_roles=["owner"]),
    )
    features.appoint_approver(
        actor=cast.actor("owner"), feature_id=people.feature.pk, user_id=cast.users["annotator"].pk
    )
    promotion = people.check(people.request())  # the writer wrote it
    tell()
    asked = {role for role in cast.users if told(cast, role) == ["approval.requested"]}
    assert asked == {"owner", "annotator"}
    policy = policy_of(promotion.policy)
    assert votes.who_may_approve(promotion, policy) == {
        user.pk
        for user in cast.users.values()
        if not votes.why_not_vote(actor_for_user(user), promotion, policy)
    }


def test_the_audience_is_that_of_when_it_is_told(people: World) -> None:
    cast = people.cast
    people.check(people.request())
    Membership.objects.filter(user=cast.users["approver"]).update(roles=["writer"])
    cast.users["owner"].is_active = False
    cast.users["owner"].save()
    tell()
    assert not Delivery.objects.exists()


def test_nobody_is_asked_for_an_approval_that_is_no_longer_wanted(people: World) -> None:
    promotion = people.check(people.request())
    people.approve(promotion)
    tell()
    assert told(people.cast, "owner") == []


def test_a_rejection_and_a_cancellation_reach_the_requester(people: World) -> None:
    cast = people.cast
    first = people.check(people.request())
    releases.reject_promotion(
        actor=cast.actor("owner"),
        project_id=cast.project.pk,
        promotion_id=first.pk,
        reason="A private reason.",
    )
    second = people.check(people.request())
    releases.cancel_promotion(
        actor=cast.actor("operator"), project_id=cast.project.pk, promotion_id=second.pk, reason="Not now."
    )
    tell()
    assert told(cast, "engineer") == ["promotion.rejected", "promotion.cancelled"]
    assert not Delivery.objects.filter(payload__icontains="private reason").exists()


def test_approvals_that_no_longer_count_are_told_to_the_requester_and_to_who_decides_anew(
    people: World,
) -> None:
    cast = people.cast
    promotion = people.check(people.request())
    people.approve(promotion)
    plan = {"steps": [{**step, "min_samples": 30} for step in promotion.plan["steps"]]}
    releases.change_plan(
        actor=cast.actor("engineer"),
        project_id=cast.project.pk,
        promotion_id=promotion.pk,
        plan=plan,
        reason="x",
    )
    tell()
    # The controller dismisses them, so the engineer who changed the plan hears of it too.
    assert told(cast, "engineer") == ["promotion.approved", "promotion.approvals_dismissed"]
    assert told(cast, "approver")[-1] == told(cast, "owner")[-1] == "promotion.approvals_dismissed"


def test_blocked_checks_and_expiry_reach_the_requester(people: World, clock: ManualClock) -> None:
    people.provider.script({"default": {"status": 500}})
    promotion = people.check(people.request())
    assert promotion.state == "blocked"
    clock.advance(days=30)
    assert releases.expire_promotions() == 1
    tell()
    assert told(people.cast, "engineer") == ["promotion.blocked", "promotion.expired"]
    assert told(people.cast, "approver") == []


def test_operators_hear_of_what_goes_down_and_the_requester_of_the_end_once(
    people: World, clock: ManualClock
) -> None:
    cast = people.cast
    rollout = people.roll_out()
    fields: dict[str, Any] = {"project_id": cast.project.pk, "rollout_id": rollout.pk}
    releases.pause_rollout(actor=cast.actor("engineer"), **fields, reason="A look.")
    releases.resume_rollout(actor=cast.actor("owner"), **fields)
    releases.roll_back(actor=cast.actor("owner"), **fields, reason="Slow.")
    for _ in range(6):
        clock.advance(minutes=6)
        tick()
    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"
    tell()
    heard = told(cast, "operator")
    assert heard[0] == "rollout.paused"
    assert set(heard[1:-1]) == {"rollout.stepped_down"}
    assert heard[-1] == "promotion.rolled_back"
    assert told(cast, "engineer") == ["promotion.approved", "promotion.rolled_back"]
    assert told(cast, "annotator") == []


def test_a_rollout_that_ends_by_a_return_is_told_as_called_off(people: World) -> None:
    cast = people.cast
    before = people.production.stable_release
    assert before is not None
    people.roll_out()
    releases.return_to_release(
        actor=cast.actor("owner"),
        project_id=cast.project.pk,
        deployment_id=people.production.pk,
        release_id=before.pk,
        reason="x",
    )
    tell()
    assert told(cast, "operator") == ["rollout.aborted"]
    assert told(cast, "engineer")[-1] == "rollout.aborted"


def test_a_release_that_goes_live_without_a_plan_is_told_to_its_requester(people: World) -> None:
    cast = people.cast
    promotion = releases.request_promotion(
        actor=cast.actor("engineer"),
        project_id=cast.project.pk,
        release_id=people.compose().pk,
        environment_id=cast.staging.pk,
    )
    people.check(promotion)
    releases.start_promotion(promotion_id=promotion.pk)
    tell()
    assert told(cast, "engineer") == ["promotion.live"]  # and not that a policy without quorum approved it
    assert told(cast, "operator") == []


def test_whoever_follows_every_rollout_hears_each_step(people: World) -> None:
    cast = people.cast
    steps = ["rollout.started", "rollout.stepped_up", "rollout.completed"]
    choose(cast, "annotator", email=steps)
    rollout = people.roll_out()
    type(rollout).objects.filter(pk=rollout.pk).update(step_index=2, weight_bp=1_000)
    for expected in (2, 3, 4):
        releases.advance_rollout(
            actor=cast.actor("operator"),
            project_id=cast.project.pk,
            rollout_id=rollout.pk,
            expected_step=expected,
            reason="x",
        )
    tell()
    assert told(cast, "annotator") == [
        "rollout.started", *["rollout.stepped_up"] * 3, "promotion.live"
    ]  # fmt: skip
    texts = [
        one.payload["data"]["text"]
        for one in Delivery.objects.filter(event="rollout.stepped_up").order_by("id")
    ]
    assert texts[:2] == [
        "assistant 1.1.0 in production goes up from shadow to 2 %.",
        "assistant 1.1.0 in production goes up from 10 % to 50 %.",
    ]


def test_grave_incidents_are_told_once_however_often_they_are_found(people: World) -> None:
    cast = people.cast
    incident = opened(cast, severity="P3", dedup_key="slow")
    tell()
    assert told(cast, "operator") == []
    for _ in range(3):
        opened(cast, severity="P1", dedup_key="slow")
    tell()
    assert told(cast, "operator") == told(cast, "owner") == ["incident.opened"]
    choose(cast, "operator", email=["incident.resolved"])
    for action in ("mitigate", "resolve"):
        getattr(incident_services, action)(
            actor=cast.actor("owner"), project_id=cast.project.pk, incident_id=incident.pk
        )
    tell()
    assert told(cast, "operator") == ["incident.opened", "incident.resolved"]


def test_the_same_move_handed_on_twice_or_by_two_workers_tells_once(people: World) -> None:
    people.check(people.request())
    message = OutboxMessage.objects.get(topic="people.promotion", done_at=None)
    assert outbox.deliver(message.pk)
    OutboxMessage.objects.filter(pk=message.pk).update(done_at=None)
    assert outbox.deliver(message.pk)
    assert told(people.cast, "approver") == ["approval.requested"]


def test_one_person_with_many_roles_gets_one_message(people: World) -> None:
    cast = people.cast
    Membership.objects.filter(user=cast.users["owner"]).update(roles=[role.value for role in Role])
    features.appoint_approver(
        actor=cast.actor("owner"), feature_id=people.feature.pk, user_id=cast.users["owner"].pk
    )
    people.check(people.request())
    tell()
    assert told(cast, "owner") == ["approval.requested"]


def test_both_ways_carry_it_and_each_person_only_what_they_chose(
    people: World, hook: Receiver, settings: Any
) -> None:
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True
    cast = people.cast
    _, secret = choose(cast, "approver", webhook=["approval.requested"], webhook_url=hook.url)
    choose(cast, "owner", email=[])
    people.check(people.request())
    tell()
    assert told(cast, "approver") == told(cast, "approver", "webhook") == ["approval.requested"]
    assert told(cast, "owner") == []
    (received,) = hook.received
    assert received.json["type"] == "approval.requested"
    assert received.json["data"]["release"] == "assistant 1.1.0"
    assert received.headers["webhook-signature"].startswith("v1,")
    assert secret.startswith("whsec_")


def test_a_failed_change_tells_nobody_and_a_failing_audience_breaks_no_change(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion = people.request()
    with transaction.atomic():
        people.check(promotion)
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.filter(topic="people.promotion", done_at=None).exists()
    monkeypatch.setattr("releases.services.audiences.tell_people", None)
    assert people.check(promotion).state == "awaiting_approval"
    message = OutboxMessage.objects.get(topic="people.promotion", done_at=None)
    assert not outbox.deliver(message.pk)


def test_without_a_mail_server_nothing_is_kept_for_later(people: World, settings: Any) -> None:
    settings.PROMPTSTORE_EMAIL_URL = ""
    people.check(people.request())
    tell()
    assert not Delivery.objects.exists()


def test_messages_never_hold_what_people_or_models_wrote() -> None:
    for event in ALL:
        news = News(event=event, at="2026-03-02T09:00:00+00:00", actor="ada", project="acme", url="https://x/", settings_url="https://y/",
                    environment="production", feature="assistant", release="assistant 1.1.0", severity="P1", from_weight_bp=250,
                    to_weight_bp=1_000)  # fmt: skip
        assert "{" not in news.headline
        assert build(news)["type"] == event.value


def test_every_event_is_offered_once_and_has_a_usual_listener() -> None:
    assert sorted(ALL) == sorted(PersonalEvent)
    assert len({label for group in GROUPS.values() for label in group}) == len(ALL)
    assert PersonalEvent.APPROVAL_REQUESTED in usual([])
    assert PersonalEvent.STEPPED_DOWN in usual([Role.OPERATOR])
    assert PersonalEvent.STEPPED_UP not in usual(Role)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once(cast: Cast, clock: ManualClock, mailbox: Mailbox) -> None:
    from incidents.services.people import tell_of_incident

    give_addresses(cast)
    incident = opened(cast)
    fields: dict[str, Any] = {
        "event": "incident.opened", "incident_id": incident.pk, "actor_id": "", "actor_name": "controller",
        "at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    at_once(*[lambda: tell_of_incident(**fields)] * 4)
    assert Delivery.objects.count() == 2  # the operator and the owner
    assert system("controller").user_id is None
