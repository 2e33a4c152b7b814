"""What is settled is counted once, for its arm, in the minute in which it was settled."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from promptstore.core.clock import ManualClock
from promptstore.core.errors import DomainError
from promptstore.core.models import AuditEvent
from reviews import services
from reviews.models import EndedRollout, ReviewItem
from reviews.rubrics import BUILT_IN, is_hallucination, is_tone_off, is_unsupported
from reviews.sampling import live_rollouts
from telemetry.models import Rollup
from tests.reviews.review_cast import BAD, GOOD, claim, fields, label, person, queue
from tests.threads import at_once
from tests.traffic import record
from tests.world import World

COUNTS = ("judged", "hallucinated", "unsupported", "toned", "tone_off")


def counted() -> dict[tuple[str, datetime], tuple[int, ...]]:
    """The counts of labels by arm and minute, where there are any."""
    rows = Rollup.objects.filter(toned__gt=0)
    return {(row.arm, row.minute): tuple(getattr(row, name) for name in COUNTS) for row in rows}


def expected() -> dict[tuple[str, datetime], tuple[int, ...]]:
    """The same from the settled items themselves."""
    found: dict[tuple[str, datetime], Counter[str]] = {}
    for item in ReviewItem.objects.filter(state="settled"):
        assert item.settled_at is not None
        assert item.verdict is not None
        told = is_hallucination(item.verdict)
        flags = (
            told is not None,
            bool(told),
            is_unsupported(item.verdict),
            True,
            bool(is_tone_off(item.verdict)),
        )
        minute = item.settled_at.replace(second=0, microsecond=0)
        found.setdefault((item.arm, minute), Counter()).update(
            dict(zip(COUNTS, map(int, flags), strict=True))
        )
    return {key: tuple(counts[name] for name in COUNTS) for key, counts in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_settled_items_in_whatever_order_people_work(
    world: World, settings: Any, clock: ManualClock, seed: int
) -> None:
    random, cast = Random(seed), world.cast
    person(cast, "second")
    queue(world, settings, candidate=4, stable=4, overlap=2)
    calls = Rollup.objects.filter(count__gt=0).values_list("arm", "count")
    before = sorted(calls)
    while ReviewItem.objects.filter(state__in=["queued", "escalated", "skipped"]).exists():
        clock.advance(seconds=random.randint(0, 50))
        who = random.choice(["annotator", "second", "engineer", "owner"])
        claimed = services.claim_next(actor=cast.actor(who), project_id=cast.project.pk)
        if claimed is not None:
            answers = {
                question["id"]: random.choice(question["choices"])["id"] for question in BUILT_IN["questions"]
            }
            act = random.choice([label, label, label, _skip, _escalate])
            act(cast, claimed, who, **({"answers": answers} if act is label else {}))
        elif random.random() < 0.5:
            item = ReviewItem.objects.filter(state__in=["escalated", "skipped"]).first()
            if item is not None:
                _settle(world, item, random.choice([GOOD, BAD]))
    assert counted() == expected()
    assert sum(row[3] for row in counted().values()) == 8
    assert sorted(Rollup.objects.filter(count__gt=0).values_list("arm", "count")) == before


def _skip(cast: Any, claimed: Any, who: str) -> None:
    services.skip_item(**fields(cast, claimed, who))


def _escalate(cast: Any, claimed: Any, who: str) -> None:
    services.escalate_item(**fields(cast, claimed, who, reason="Odd."))


def _settle(world: World, item: ReviewItem, answers: dict[str, str]) -> None:
    services.settle_item(
        actor=world.cast.actor("approver"), project_id=world.cast.project.pk, item_id=item.pk, answers=answers,
        reason="So it is.",
    )  # fmt: skip


def test_half_a_judgement_and_a_disagreement_count_nothing(world: World, settings: Any) -> None:
    cast = world.cast
    person(cast, "second")
    queue(world, settings, overlap=2)
    label(cast, claim(cast))
    assert counted() == {}
    label(cast, claim(cast, "second"), "second", answers=BAD)
    assert ReviewItem.objects.get().state == "escalated"
    assert counted() == {}


def test_where_nobody_could_tell_only_the_tone_counts(world: World, settings: Any) -> None:
    queue(world, settings)
    label(world.cast, claim(world.cast), answers={"factuality": "cannot_tell", "tone": "harmful"})
    assert list(counted().values()) == [(0, 0, 0, 1, 1)]


def test_answers_of_a_rollout_that_is_over_are_not_asked_about(world: World, settings: Any) -> None:
    rollout = queue(world, settings, candidate=2)
    services.withdraw_items(
        project_id=world.cast.project.pk, rollout_id=rollout.pk, reason="The rollout is over."
    )
    record(rollout, "candidate", 5)
    assert live_rollouts(since=rollout.created_at) == []
    assert services.enqueue_samples() == 0
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_what_slipped_in_while_the_rollout_ended_is_withdrawn_by_the_next_run(
    world: World, settings: Any
) -> None:
    rollout = queue(world, settings, candidate=2)
    EndedRollout.objects.create(project=world.cast.project, rollout_id=rollout.pk)
    services.enqueue_samples()
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert AuditEvent.objects.filter(action="review.withdrawn").count() == 1


def test_a_minute_of_labels_alone_makes_no_rollout_live(
    world: World, settings: Any, clock: ManualClock
) -> None:
    queue(world, settings)
    clock.advance(minutes=90)
    label(world.cast, claim(world.cast))
    assert live_rollouts(since=clock.now() - timedelta(hours=1)) == []


@pytest.mark.django_db(transaction=True)
def test_the_same_label_from_six_windows_counts_once(world: World, settings: Any) -> None:
    queue(world, settings)
    claimed = claim(world.cast)
    at_once(*[lambda: label(world.cast, claimed, answers=BAD)] * 6)
    assert list(counted().values()) == [(1, 1, 1, 1, 1)]


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_count_once(world: World, settings: Any) -> None:
    cast = world.cast
    queue(world, settings)
    services.escalate_item(**fields(cast, claim(cast), reason="Odd."))
    ReviewItem.objects.update(authors=[])
    item = ReviewItem.objects.get()

    def decide(who: str, answers: dict[str, str]) -> Any:
        return services.settle_item(
            actor=cast.actor(who), project_id=cast.project.pk, item_id=item.pk, answers=answers, reason="So."
        )

    found = at_once(lambda: decide("approver", BAD), lambda: decide("owner", GOOD))
    assert [isinstance(one, DomainError) for one in found].count(True) == 1
    assert counted() == expected()
    assert sum(row[0] for row in counted().values()) == 1


@pytest.mark.django_db(transaction=True)
def test_many_people_who_settle_at_once_lose_no_count(world: World, settings: Any) -> None:
    cast = world.cast
    people = [f"annotator-{number}" for number in range(8)]
    for name in people:
        person(cast, name)
    rollout = queue(world, settings, candidate=8)
    claims = [(name, claim(cast, name)) for name in people]
    at_once(
        *(lambda name=name, held=held: label(cast, held, name, answers=BAD) for name, held in claims),
        lambda: record(rollout, "candidate", 20),
    )
    assert list(counted().values()) == [(8, 8, 8, 8, 8)]
    assert Rollup.objects.get(arm="candidate").count == 28
