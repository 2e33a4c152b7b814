from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from promptstore.core.actors import system
from promptstore.core.clock import ManualClock
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.machines import TransitionRefused
from promptstore.core.models import AuditEvent, Membership
from reviews import services
from reviews.errors import AlreadyLabelled, LeaseLost
from reviews.models import Label, ReviewItem, Skip
from tests.cast import Cast
from tests.reviews.review_cast import BAD, GOOD, claim, fields, label, person, queue
from tests.world import World


def actions() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__startswith="review.")
        .order_by("id")
        .values_list("action", flat=True)
    )


def test_one_label_settles_an_item_that_one_person_is_asked_about(world: World, settings: Any) -> None:
    queue(world, settings)
    label(world.cast, claim(world.cast), comment=" Checked. ")
    item, given = ReviewItem.objects.get(), Label.objects.get()
    assert (item.state, item.verdict, item.holder) == ("settled", GOOD, None)
    assert (given.comment, given.position, given.fence, given.rubric.version) == ("Checked.", 1, 1, 1)
    assert given.content_digest == item.content_digest
    assert actions() == ["review.labelled", "review.settled"]


def test_events_of_labels_do_not_say_what_was_said(world: World, settings: Any) -> None:
    queue(world, settings, overlap=2)
    label(world.cast, claim(world.cast), answers=BAD, comment="Wrong on all counts.")
    event = AuditEvent.objects.get(action="review.labelled")
    assert not [word for word in ("unsupported", "off", "Wrong") if word in str(event.after)]


def test_two_people_who_agree_settle_and_two_who_do_not_escalate(world: World, settings: Any) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, candidate=2, overlap=2)
    for _ in range(2):
        label(cast, claim(cast))
    assert services.claim_next(actor=cast.actor("annotator"), project_id=cast.project.pk) is None
    label(cast, claim(cast, "second"), "second")
    label(cast, claim(cast, "second"), "second", answers={**GOOD, "tone": "off"})
    states = {item.state: item.verdict for item in ReviewItem.objects.all()}
    assert states == {"settled": GOOD, "escalated": None}


def test_what_is_half_judged_comes_first(world: World, settings: Any) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, candidate=3, overlap=2)
    first = claim(cast)
    label(cast, first)
    assert claim(cast, "second").item_id == first.item_id


def test_the_next_item_is_claimed_with_the_label(world: World, settings: Any) -> None:
    queue(world, settings, candidate=2)
    first = claim(world.cast)
    following = label(world.cast, first, claim_another=True).next
    assert following is not None
    assert following.item_id != first.item_id
    assert claim(world.cast) == following


def test_a_label_sent_twice_counts_once_and_another_one_is_refused(world: World, settings: Any) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    first = label(world.cast, claimed)
    assert label(world.cast, claimed).label.pk == first.label.pk
    with pytest.raises(AlreadyLabelled):
        label(world.cast, claimed, answers=BAD)
    assert Label.objects.count() == 1


def test_who_is_late_and_alone_loses_nothing(world: World, settings: Any, clock: ManualClock) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    clock.advance(minutes=11)
    assert services.expire_leases() == 1
    assert ReviewItem.objects.get().state == "queued"
    label(world.cast, claimed)
    assert ReviewItem.objects.get().state == "settled"


def test_who_is_late_and_overtaken_is_refused(world: World, settings: Any, clock: ManualClock) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings)
    old = claim(cast)
    clock.advance(minutes=11)
    new = claim(cast, "second")
    assert new.item_id == old.item_id
    assert new.fence == old.fence + 1
    for call in (
        lambda: label(cast, old),
        lambda: services.heartbeat(**fields(cast, old)),
        lambda: services.skip_item(**fields(cast, old)),
        lambda: services.escalate_item(**fields(cast, old), reason="Odd."),
        lambda: label(cast, old, fence=new.fence),  # the new fence in the wrong hands
    ):
        with pytest.raises(LeaseLost) as refused:
            call()
        assert refused.value.status == 409
    assert not Label.objects.exists()
    label(cast, new, "second")


def test_a_heartbeat_keeps_the_item_and_one_after_the_label_is_no_error(
    world: World, settings: Any, clock: ManualClock
) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings)
    claimed = claim(cast)
    for _ in range(3):
        clock.advance(minutes=9)
        assert services.heartbeat(**fields(cast, claimed)) == clock.now() + timedelta(minutes=10)
    assert services.claim_next(actor=cast.actor("second"), project_id=cast.project.pk) is None
    label(cast, claimed)
    assert services.heartbeat(**fields(cast, claimed)) is None


def test_going_on_to_another_item_gives_the_lapsed_one_up(
    world: World, settings: Any, clock: ManualClock
) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, candidate=2)
    old = claim(cast)
    clock.advance(minutes=11)
    assert claim(cast, "second").item_id == old.item_id
    assert claim(cast).item_id != old.item_id
    with pytest.raises(LeaseLost):
        label(cast, old)


def test_authors_are_not_asked_about_their_own_prompt(world: World, settings: Any) -> None:
    cast = world.cast
    rollout = queue(world, settings)
    ReviewItem.objects.update(authors=[str(cast.users["annotator"].pk)])
    assert services.claim_next(actor=cast.actor("annotator"), project_id=cast.project.pk) is None
    assert claim(cast, "engineer")
    assert rollout


@pytest.mark.parametrize("role", ["writer", "approver", "operator", "auditor"])
def test_other_roles_do_not_label(world: World, settings: Any, role: str) -> None:
    queue(world, settings)
    with pytest.raises(NotAllowed):
        claim(world.cast, role)


def test_the_product_does_not_label_and_a_lost_role_ends_a_claim(world: World, settings: Any) -> None:
    cast = world.cast
    queue(world, settings)
    with pytest.raises(NotAllowed):
        services.claim_next(actor=system("x"), project_id=cast.project.pk)
    claimed = claim(cast)
    Membership.objects.filter(user=cast.users["annotator"]).update(roles=["auditor"])
    with pytest.raises(NotAllowed):
        label(cast, claimed)
    assert ReviewItem.objects.get().state == "leased"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"answers": {"factuality": "supported"}}, "answers.tone"),
        ({"answers": {**GOOD, "tone": "rude"}}, "answers.tone"),
        ({"answers": {**GOOD, "style": "x"}}, "answers.style"),
        ({"answers": {**GOOD, "tone": ["fits"]}}, "answers.tone"),
        ({"rubric": 9}, "rubric"),
        ({"comment": "x" * 2_001}, "comment"),
    ],
)
def test_a_bad_label_names_the_field_and_changes_nothing(
    world: World, settings: Any, change: dict[str, Any], field: str
) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    with pytest.raises(InvalidInput) as refused:
        label(world.cast, claimed, **change)
    assert refused.value.field == field
    assert ReviewItem.objects.get().state == "leased"
    assert not actions()


def test_a_skipped_item_goes_to_others_and_is_set_aside_when_nobody_is_left(
    world: World, settings: Any
) -> None:
    cast = world.cast
    queue(world, settings)
    roles = ("annotator", "engineer", "owner")
    ReviewItem.objects.update(authors=[])
    for role in roles:
        assert ReviewItem.objects.get().state == "queued"
        services.skip_item(**fields(cast, claim(cast, role), role), reason="unreadable")
        assert services.claim_next(actor=cast.actor(role), project_id=cast.project.pk) is None
    assert ReviewItem.objects.get().state == "skipped"
    assert Skip.objects.count() == 3
    assert actions() == ["review.skipped"] * 3 + ["review.set_aside"]


def test_an_escalated_item_is_decided_by_somebody_else_with_a_reason(world: World, settings: Any) -> None:
    cast = world.cast
    queue(world, settings)
    services.escalate_item(**fields(cast, claim(cast)), reason="Needs a lawyer.")
    item = ReviewItem.objects.get()
    assert (item.state, item.escalated_because) == ("escalated", "Needs a lawyer.")
    decide: dict[str, Any] = {"project_id": cast.project.pk, "item_id": item.pk, "answers": BAD}
    for role in ("annotator", "operator"):
        with pytest.raises(NotAllowed):
            services.settle_item(actor=cast.actor(role), reason="So it is.", **decide)
    with pytest.raises(InvalidInput):
        services.settle_item(actor=cast.actor("approver"), reason=" ", **decide)
    settled = services.settle_item(actor=cast.actor("approver"), reason="So it is.", **decide)
    assert (settled.state, settled.verdict, settled.settled_by) == ("settled", BAD, cast.users["approver"])
    with pytest.raises(TransitionRefused):
        services.settle_item(actor=cast.actor("approver"), reason="Again.", **decide)
    assert actions() == ["review.escalated", "review.settled"]


def test_who_labelled_an_item_or_wrote_its_prompt_does_not_decide_it(world: World, settings: Any) -> None:
    cast = world.cast
    queue(world, settings, overlap=2)
    ReviewItem.objects.update(authors=[])
    label(cast, claim(cast))
    label(cast, claim(cast, "engineer"), "engineer", answers=BAD)
    item = ReviewItem.objects.get()
    assert item.state == "escalated"
    decide: dict[str, Any] = {
        "project_id": cast.project.pk, "item_id": item.pk, "answers": BAD, "reason": "Mine."
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        services.settle_item(actor=cast.actor("engineer"), **decide)
    ReviewItem.objects.update(authors=[str(cast.users["approver"].pk)])
    with pytest.raises(NotAllowed):
        services.settle_item(actor=cast.actor("approver"), **decide)
    assert ReviewItem.objects.get().state == "escalated"


def test_a_withdrawn_rollouts_items_leave_the_queue_and_its_labels_stay(world: World, settings: Any) -> None:
    cast = world.cast
    rollout = queue(world, settings, candidate=3)
    label(cast, claim(cast))
    held = claim(cast)
    where = {"project_id": cast.project.pk, "rollout_id": rollout.pk}
    assert services.withdraw_items(**where, reason="Rolled back.") == 2
    assert services.withdraw_items(**where, reason="Rolled back.") == 0
    assert sorted(ReviewItem.objects.values_list("state", flat=True)) == ["settled", "withdrawn", "withdrawn"]
    with pytest.raises(LeaseLost):
        label(cast, held)
    assert AuditEvent.objects.filter(action="review.withdrawn").count() == 1


def test_another_projects_items_are_not_found(world: World, strangers: Cast, settings: Any) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    with pytest.raises(NotFound):
        label(strangers, claimed)
    assert services.claim_next(actor=strangers.actor("annotator"), project_id=strangers.project.pk) is None


@pytest.mark.parametrize("clash", ["annotator", "position", "fence"])
def test_the_database_refuses_a_second_label_of_a_person_a_place_or_a_claim(
    world: World, settings: Any, clash: str
) -> None:
    queue(world, settings)
    label(world.cast, claim(world.cast))
    row = Label.objects.get()
    fresh = {"annotator": world.cast.users["owner"], "position": 2, "fence": 2}
    values: dict[str, Any] = {**fresh, clash: getattr(row, clash)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(
            project=row.project, item=row.item, rubric=row.rubric, answers=GOOD, content_digest="", **values
        )
