"""The page on which people judge, in a real browser: it fits, it is accessible, and two keys and Enter are a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from promptstore.core.ids import uuid7
from registry.models import Feature
from reviews.models import Label, ReviewItem
from reviews.states import ReviewState
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast
from tests.reviews.review_cast import BAD, GOOD, claim, label

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def waiting(transactional_db: None) -> Cast:
    """Three answers in the queue, the first of them claimed by the annotator."""
    cast = make_cast("acme")
    feature = Feature.objects.create(project=cast.project, slug="assistant", name="Configuration assistant")
    for arm in ("stable", "candidate", "stable"):
        ReviewItem.objects.create(
            project=cast.project, environment=cast.production, feature=feature, inference_id=uuid7(), rollout_id=uuid7(),
            arm=arm, variables={"request": "Less noise in the logs."}, output='{"key": "log_level"}', content_digest="",
        )  # fmt: skip
    claim(cast)
    return cast


def visit(browser: Browser, url: str, cast: Cast, path: str, **options: Any) -> tuple[Page, list[str]]:
    return opened(browser, url, cast.users["annotator"], path, **options)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_queue_and_item_are_accessible_and_fit(
    browser: Browser, live_server: Any, waiting: Cast, width: int, theme: str, tmp_path: Path
) -> None:
    page, complaints = visit(
        browser, live_server.url, waiting, "/reviews/next/",
        viewport={"width": width, "height": 900}, color_scheme=theme,
    )  # fmt: skip
    for choice in page.get_by_role("radio").all():
        box = choice.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    page.screenshot(path=tmp_path / f"item-{width}.png", full_page=True)
    assert not complaints
    check_page(page)
    page.goto(live_server.url + "/reviews/")
    check_page(page)


def test_two_keys_and_enter_are_a_label_and_bring_the_next_answer(
    browser: Browser, live_server: Any, waiting: Cast
) -> None:
    page, complaints = visit(browser, live_server.url, waiting, "/reviews/next/")
    for done in (1, 2):
        page.keyboard.press("1")
        page.keyboard.press("q")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text(f"{done} of 3 today")
    page.keyboard.press("s")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert [label.answers for label in Label.objects.all()] == [GOOD, GOOD]
    assert ReviewItem.objects.filter(state=ReviewState.SETTLED).count() == 2
    assert not complaints


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_a_bad_answer_goes_to_the_danger_set_with_one_key(
    browser: Browser, live_server: Any, waiting: Cast, width: int, theme: str, tmp_path: Path
) -> None:
    label(waiting, claim(waiting), answers=BAD)
    item = ReviewItem.objects.get(state=ReviewState.SETTLED)
    page, complaints = opened(
        browser, live_server.url, waiting.users["owner"], "/reviews/",
        viewport={"width": width, "height": 900}, color_scheme=theme,
    )  # fmt: skip
    page.screenshot(path=tmp_path / f"list-{width}.png", full_page=True)
    assert not complaints
    check_page(page)
    page.goto(f"{live_server.url}/reviews/{item.pk}/")
    check_page(page)
    page.keyboard.press("d")
    expect(page.get_by_role("link", name=f"review-{item.pk}")).to_be_visible()
    page.screenshot(path=tmp_path / f"settled-{width}.png", full_page=True)
    check_page(page)
