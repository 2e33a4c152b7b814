"""What people say of a canary's answers moves its rollout: down when it is bad, not at all while it is missing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incidents.models import Incident
from promptstore.core.clock import ManualClock
from providers.scripted import ScriptedServer
from releases import controller
from releases.models import Rollout
from releases.selectors.places import rollouts
from releases.selectors.rollouts import rollout_view
from reviews import services as reviews
from reviews.models import ReviewItem
from tests.cast import Cast
from tests.reviews.review_cast import BAD, GOOD, label
from tests.traffic import record
from tests.world import RULES, World, make_world

RULE = {
    "id": "hallucinations",
    "when": "hallucination_rate > 20% for 1h",
    "severity": "P1",
    "action": "step",
    "min_samples": 10,
}


@pytest.fixture
def world(cast: Cast, provider: ScriptedServer, clock: ManualClock, settings: Any) -> World:
    """Production asks for labels as well, and every answer may come into the queue."""
    settings.REVIEW_SHARE_BP = 10_000
    return make_world(cast, provider, rules=[*RULES, RULE])


def traffic(rollout: Rollout) -> None:
    """Calls that are good by every other measure."""
    record(rollout, "candidate", 12)
    record(rollout, "stable", 60)


def an_hour(rollout: Rollout, clock: ManualClock) -> Rollout:
    """An hour with the sampling and the controller at work."""
    traffic(rollout)
    for _ in range(12):
        clock.advance(minutes=5)
        traffic(rollout)
        reviews.enqueue_samples()
        controller.tick()
    rollout.refresh_from_db()
    return rollout


def a_minute(rollout: Rollout, clock: ManualClock) -> int:
    """One more minute; returns how many rollouts the controller moved at its end."""
    clock.advance(minutes=1)
    traffic(rollout)
    moved = controller.tick()
    rollout.refresh_from_db()
    return moved


def judge(cast: Cast, candidate: dict[str, str], *, count: int) -> None:
    """Label until `count` answers of the candidate are settled; stable's are found good."""
    ReviewItem.objects.update(overlap=1)
    done = 0
    while done < count:
        claimed = reviews.claim_next(actor=cast.actor("annotator"), project_id=cast.project.pk)
        assert claimed is not None
        is_candidate = ReviewItem.objects.get(pk=claimed.item_id).arm == "candidate"
        done += is_candidate
        label(cast, claimed, answers=candidate if is_candidate else GOOD)


def shown(rollout: Rollout) -> Any:
    """How the rollout page sees the rule about labels."""
    view = rollout_view(rollouts().get(pk=rollout.pk))
    return view, next(rule for rule in view.rules if rule.id == "hallucinations")


def test_a_rollout_holds_while_nobody_has_judged(world: World, clock: ManualClock, client: Client) -> None:
    rollout = an_hour(world.roll_out(), clock)
    assert (rollout.state, rollout.weight_bp) == ("running", 200)
    view, rule = shown(rollout)
    assert rule.verdict == "no_data"
    assert rule.waits_for_labels
    assert "waits for labels" in rule.sentences[0]
    assert any("waits for labels" in reason for reason in view.waits_for)
    waiting = ReviewItem.objects.filter(state="queued").count()
    assert view.unjudged.to_judge == waiting > 0
    client.force_login(world.cast.users["operator"])
    page = client.get(f"/releases/rollouts/{rollout.pk}/").content.decode()
    assert f'<a href="/reviews/">{waiting} answers of this rollout wait to be judged</a>' in page


def test_too_few_labels_hold_it_as_well_and_say_how_many_are_missing(
    world: World, clock: ManualClock
) -> None:
    rollout = an_hour(world.roll_out(), clock)
    judge(world.cast, BAD, count=9)
    assert a_minute(rollout, clock) == 0
    _, rule = shown(rollout)
    assert rule.verdict == "inconclusive"
    assert "needs 1 more labels (has 9)" in rule.sentences[0]


def test_bad_labels_alone_roll_a_rollout_back(world: World, clock: ManualClock) -> None:
    rollout = an_hour(world.roll_out(), clock)
    judge(world.cast, BAD, count=12)
    assert a_minute(rollout, clock) == 1
    assert (rollout.state, rollout.weight_bp) == ("rolling_back", 150)
    evidence = Incident.objects.get().evidence
    assert [rule["id"] for rule in evidence["rules"]] == ["hallucinations"]
    bad = {str(pk) for pk in ReviewItem.objects.filter(verdict=BAD).values_list("inference_id", flat=True)}
    assert {sample["id"] for sample in evidence["samples"]} <= bad
    assert len(evidence["samples"]) == 5
    assert ReviewItem.objects.filter(state="queued").exists()
    for _ in range(4):
        clock.advance(minutes=5)
        controller.tick()
    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"
    assert not ReviewItem.objects.filter(state__in=["queued", "leased"]).exists()
    assert ReviewItem.objects.filter(state="withdrawn").exists()


def test_good_labels_let_it_go_on(world: World, clock: ManualClock) -> None:
    rollout = an_hour(world.roll_out(), clock)
    judge(world.cast, GOOD, count=12)
    assert a_minute(rollout, clock) == 1
    assert (rollout.state, rollout.weight_bp) == ("running", 1_000)
