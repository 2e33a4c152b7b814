from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from promptstore.core.clock import ManualClock
from releases.models import Rollout
from reviews import services
from reviews.models import ReviewItem
from telemetry.models import Inference
from tests.reviews.review_cast import queue
from tests.traffic import record
from tests.world import World


def rank(inference_id: UUID) -> int:
    """As a serving node computes whose text it keeps."""
    return int.from_bytes(hashlib.sha256(str(inference_id).encode()).digest()[:4], "big")


def arms() -> dict[str, int]:
    return {arm: ReviewItem.objects.filter(arm=arm).count() for arm in ("candidate", "stable")}


def test_a_rerun_adds_nothing_and_both_arms_are_asked_about_alike(world: World, settings: Any) -> None:
    queue(world, settings, candidate=4, stable=30)
    assert arms() == {"candidate": 4, "stable": 4}
    assert services.enqueue_samples() == 0
    assert arms() == {"candidate": 4, "stable": 4}


def test_the_share_is_the_one_of_the_nodes_capture(world: World, settings: Any) -> None:
    settings.REVIEW_SHARE_BP = 2_500
    record(world.roll_out(), "candidate", 200)
    services.enqueue_samples()
    chosen = {pk for pk in Inference.objects.values_list("pk", flat=True) if rank(pk) * 10_000 >> 32 < 2_500}
    assert 20 < len(chosen) < 90
    assert set(ReviewItem.objects.values_list("inference_id", flat=True)) == chosen


def test_the_days_budget_holds_and_begins_anew(world: World, settings: Any, clock: ManualClock) -> None:
    settings.REVIEW_BUDGET_PER_DAY = 6
    rollout = queue(world, settings, candidate=20, stable=20)
    assert arms() == {"candidate": 3, "stable": 3}
    clock.advance(days=1)
    record(rollout, "candidate", 20)
    record(rollout, "stable", 20)
    services.enqueue_samples()
    assert arms() == {"candidate": 6, "stable": 6}


def test_nothing_is_taken_where_the_share_or_the_budget_is_none(world: World, settings: Any) -> None:
    record(world.roll_out(), "candidate", 5)
    for name in ("REVIEW_SHARE_BP", "REVIEW_BUDGET_PER_DAY"):
        settings.REVIEW_SHARE_BP, settings.REVIEW_BUDGET_PER_DAY = 10_000, 10
        setattr(settings, name, 0)
        assert services.enqueue_samples() == 0


def test_what_went_wrong_is_left_to_the_metrics_that_count_it(world: World, settings: Any) -> None:
    settings.REVIEW_SHARE_BP = 10_000
    rollout = world.roll_out()
    record(rollout, "candidate", 6, errors=2, invalid=3, policy_hits=1)
    assert services.enqueue_samples() == 3


def test_answers_without_a_text_too_old_or_outside_of_a_rollout_are_not_asked_about(
    world: World, settings: Any, clock: ManualClock
) -> None:
    settings.REVIEW_SHARE_BP = 10_000
    rollout = world.roll_out()
    record(rollout, "candidate", 2)
    Inference.objects.update(output_redacted=None)
    assert services.enqueue_samples() == 0
    record(rollout, "candidate", 2)
    clock.advance(hours=1, minutes=2)
    assert services.enqueue_samples() == 0


def test_an_item_keeps_the_text_its_digest_and_the_authors(world: World, settings: Any) -> None:
    rollout: Rollout = queue(world, settings, candidate=1)
    inference, item = Inference.objects.get(), ReviewItem.objects.get()
    assert (item.output, item.variables, item.rollout_id) == ("an answer", None, rollout.pk)
    assert item.content_digest.startswith("sha256:")
    assert item.inference_id == inference.pk
    assert item.release_digest == rollout.candidate.digest
    Inference.objects.all().delete()
    assert ReviewItem.objects.get().output == "an answer"


def test_some_items_are_asked_of_several_people(world: World, settings: Any) -> None:
    settings.REVIEW_SHARE_BP, settings.REVIEW_OVERLAP = 10_000, 3
    record(world.roll_out(), "candidate", 60)
    services.enqueue_samples()
    for item in ReviewItem.objects.all():
        assert item.overlap == (3 if rank(item.inference_id) % 5 == 0 else 1)


def test_the_order_tells_nothing_of_the_arm_where_one_of_them_has_far_more_answers(
    world: World, settings: Any
) -> None:
    settings.REVIEW_SHARE_BP = 10_000
    rollout = world.roll_out()
    record(rollout, "candidate", 40)
    record(rollout, "stable", 800)
    services.enqueue_samples()
    order = list(ReviewItem.objects.order_by("pk").values_list("arm", flat=True))
    assert len(order) == 80
    # Of 40 and 40 in random order the first half holds 20, within five standard deviations of 2.25 (hypergeometric).
    assert 9 <= order[:40].count("candidate") <= 31
