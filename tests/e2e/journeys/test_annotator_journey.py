"""An annotator's morning: twenty answers, judged by keys alone; and a colleague keeps the worst of them as a danger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from promptstore.core.ids import uuid7
from registry.models import DatasetCase, Feature
from reviews.models import Label, ReviewItem
from reviews.states import ReviewState
from tests.cast import Cast
from tests.e2e.journeys.keyboard import Keyboard

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ASKED = (
    ("Less noise in the logs.", '{"key": "log_level", "value": "warning"}'),
    ("Use eight worker processes.", '{"key": "workers", "value": "8"}'),
    ("Give up on slow calls after five seconds.", '{"key": "timeout_s", "value": "5"}'),
    ("Let the office network in.", '{"key": "allowed_cidr", "value": "0.0.0.0/0"}'),
)
ANSWERS = 20


@pytest.fixture
def waiting(people: Cast) -> Cast:
    """Twenty answers in the queue, of both arms."""
    feature = Feature.objects.create(project=people.project, slug="assistant", name="Configuration assistant")
    rollout = uuid7()
    for number in range(ANSWERS):
        request, output = ASKED[number % len(ASKED)]
        ReviewItem.objects.create(
            project=people.project, environment=people.production, feature=feature, inference_id=uuid7(), rollout_id=rollout,
            arm=("stable", "candidate")[number % 2], variables={"request": request}, output=output, content_digest="",
        )  # fmt: skip
    return people


def test_annotator_judges_twenty_answers_and_a_colleague_keeps_the_worst(
    seat: Callable[..., Keyboard], waiting: Cast
) -> None:
    annotator = seat(waiting.users["annotator"])
    annotator.looks("1-home")
    annotator.skip()
    annotator.go("Judge 20 answers", within=4)
    annotator.looks("2-begin", "Review")
    annotator.leave("n")
    annotator.looks("3-first-answer", "Judge this answer")

    for done in range(1, ANSWERS - 1):
        annotator.leave("f")
        annotator.sees(f"{done} of {ANSWERS} today")
    # A slip of the finger is put right before it counts.
    annotator.press("1", "3", "w")
    expect(annotator.page.get_by_role("radio", name="Not supported")).to_be_checked()
    annotator.looks("4-a-bad-one")
    annotator.leave("Enter")
    annotator.press("x")
    annotator.write("It opens the network to everybody.")
    annotator.looks("5-escalating")
    annotator.leave("Control+Enter")
    annotator.sees("Nothing waits for you")
    annotator.looks("6-done")
    assert Label.objects.count() == ANSWERS - 1

    colleague = seat(waiting.users["engineer"])
    colleague.skip()
    colleague.go("Decide on one answer", within=5)
    colleague.looks("7-escalated", "Review")
    colleague.skip()
    colleague.go("Configuration assistant", within=8)
    colleague.looks("8-to-decide", "An answer of Configuration assistant")
    colleague.skip()
    colleague.to("Supported", within=9)
    colleague.press("ArrowDown", "ArrowDown")
    colleague.to("Fits")
    colleague.press("ArrowDown", "ArrowDown")
    colleague.to("Reason")
    colleague.write("It would let anybody in.")
    colleague.go("Settle")
    colleague.sees("Settled.")
    colleague.leave("d")
    colleague.sees("is in the danger set")
    colleague.looks("9-in-the-danger-set")
    escalated = ReviewItem.objects.get(verdict__tone="harmful")
    assert escalated.state == ReviewState.SETTLED
    assert DatasetCase.objects.filter(key=f"review-{escalated.pk}").exists()
