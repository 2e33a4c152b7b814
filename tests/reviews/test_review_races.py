"""Calls that meet at one item, each on a connection of its own."""

from __future__ import annotations

from typing import Any

import pytest

from reviews import services
from reviews.claims import Claim
from reviews.errors import AlreadyLabelled, LeaseLost
from reviews.models import Label, ReviewItem
from tests.reviews.review_cast import BAD, GOOD, claim, fields, label, person, queue
from tests.threads import at_once
from tests.traffic import record
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_people_claim_the_last_item_and_one_gets_it(world: World, settings: Any) -> None:
    cast = world.cast
    people = [person(cast, f"annotator-{number}") for number in range(50)]
    queue(world, settings)
    found = at_once(
        *(lambda who=who: services.claim_next(actor=who, project_id=cast.project.pk) for who in people)
    )
    claims = [one for one in found if isinstance(one, Claim)]
    assert len(claims) == 1
    assert found.count(None) == 49
    assert ReviewItem.objects.get().fence == 1


def test_a_person_with_two_windows_holds_one_item(world: World, settings: Any) -> None:
    queue(world, settings, candidate=5)
    found = at_once(*[lambda: claim(world.cast)] * 6)
    assert len({one.item_id for one in found}) == 1
    assert ReviewItem.objects.filter(state="leased").count() == 1


def test_a_double_click_leaves_one_label(world: World, settings: Any) -> None:
    queue(world, settings, candidate=2)
    claimed = claim(world.cast)
    found = at_once(*[lambda: label(world.cast, claimed, claim_another=True)] * 6)
    assert len({one.label.pk for one in found}) == 1
    assert len({one.next.item_id for one in found}) == 1
    assert Label.objects.count() == 1


def test_two_different_labels_at_once_leave_one(world: World, settings: Any) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    found = at_once(
        lambda: label(world.cast, claimed, answers=GOOD), lambda: label(world.cast, claimed, answers=BAD)
    )
    assert [type(one) for one in found].count(AlreadyLabelled) == 1
    assert Label.objects.count() == 1


def test_a_label_and_a_skip_at_once_leave_one_of_them(world: World, settings: Any) -> None:
    cast = world.cast
    queue(world, settings)
    claimed = claim(cast)
    found = at_once(lambda: label(cast, claimed), lambda: services.skip_item(**fields(cast, claimed)))
    assert [isinstance(one, LeaseLost) for one in found].count(True) == 1
    item = ReviewItem.objects.get()
    assert (item.labels.count(), item.skips.count(), item.state) in {(1, 0, "settled"), (0, 1, "queued")}


def test_a_withdrawal_and_a_label_at_once_leave_one_of_them(world: World, settings: Any) -> None:
    cast = world.cast
    rollout = queue(world, settings)
    claimed = claim(cast)
    labelled, withdrawn = at_once(
        lambda: label(cast, claimed),
        lambda: services.withdraw_items(
            project_id=cast.project.pk, rollout_id=rollout.pk, reason="Rolled back."
        ),
    )
    assert isinstance(labelled, LeaseLost) == bool(withdrawn)
    assert ReviewItem.objects.get().state == ("withdrawn" if withdrawn else "settled")


def test_two_schedulers_take_each_answer_once_and_stay_within_the_budget(world: World, settings: Any) -> None:
    settings.REVIEW_BUDGET_PER_DAY = 4
    rollout = queue(world, settings, candidate=0)
    record(rollout, "candidate", 10)
    record(rollout, "stable", 10)
    at_once(*[services.enqueue_samples] * 4)
    assert ReviewItem.objects.count() == 4
