"""The audit page in a real browser: filters, before and after, export, verification with progress; with the keyboard alone too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, Page, expect

from promptstore.core import audit
from promptstore.core.audit.verifications import continue_verification, start_verification
from promptstore.core.models import AuditEvent
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """A project in which four things happened, all sealed."""
    cast = make_cast("acme")
    for role, action, before, after in (
        ("engineer", "release.composed", None, {"version": "1.1.0", "models": {"primary": "small@1.0.0"}}),
        (
            "approver",
            "promotion.approved",
            {"state": "awaiting_approval"},
            {"state": "approved", "quorum": 2},
        ),
        ("operator", "rollout.paused", {"state": "running"}, {"state": "paused"}),
        ("owner", "policy.changed", {"quorum": 1}, {"quorum": 2, "note": "A long note " * 20}),
    ):
        with transaction.atomic():
            audit.record(
                actor=cast.actor(role), action=action, target=cast.production, project_id=cast.project.pk,
                before=before, after=after, reason="For the record.",
            )  # fmt: skip
    audit.seal_pending()
    return cast


def log(
    browser: Browser, live_server: Any, cast: Cast, path: str = "/audit/", **options: Any
) -> tuple[Page, list[str]]:
    """The auditor's page."""
    return opened(browser, live_server.url, cast.users["auditor"], path, **options)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")])
def test_the_page_is_accessible_and_fits_with_everything_open(
    browser: Browser, live_server: Any, people: Cast, width: int, theme: str
) -> None:
    page, complaints = log(
        browser, live_server, people, viewport={"width": width, "height": 900}, color_scheme=theme
    )
    expect(page.get_by_role("list", name="Events").locator("> li")).to_have_count(4)
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text("The log is whole")).to_be_visible()
    page.get_by_text("More filters").click()
    for details in page.get_by_text("Details", exact=False).locator("xpath=ancestor::summary[1]").all():
        details.click()
    for json in page.locator("details[open] summary", has_text="JSON").all():
        json.click()
    assert complaints == []
    check_page(page)


def test_filters_narrow_and_an_event_shows_what_it_changed(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, complaints = log(browser, live_server, people)
    events = page.get_by_role("list", name="Events").locator("> li")
    page.get_by_label("Person").fill("approver")
    page.get_by_role("button", name="Filter").click()
    expect(events).to_have_count(1)
    expect(events).to_contain_text("gave production the approval that completed its quorum (2 of 2)")
    events.get_by_text("Details").click()
    expect(events.get_by_text("awaiting_approval").first).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(events).to_have_count(4)
    page.get_by_label("Action").select_option("rollout.paused")
    page.get_by_label("Names and reasons").fill("record")
    page.keyboard.press("Enter")
    expect(events).to_have_count(1)
    expect(page).to_have_url(re.compile(r"action=rollout\.paused&text=record"))
    page.get_by_label("Person").fill("nobody at all")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    assert complaints == []


def test_a_long_verification_shows_how_far_it_is_and_ends_without_a_reload(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    check = start_verification(actor=people.actor("auditor"), project_id=people.project.pk, piece=2)
    page, complaints = log(browser, live_server, people)
    expect(page.get_by_text("The log is being verified")).to_be_visible()
    expect(page.get_by_role("button", name="Verify the log")).to_have_count(0)
    progress = page.get_by_role("progressbar", name="Verified so far")
    assert progress.evaluate("element => element.value / element.max") == 0.5
    continue_verification(verification_id=check.pk, after=2)
    expect(page.get_by_text("The log is whole")).to_be_visible(timeout=15_000)
    assert complaints == []


@pytest.mark.parametrize(("name", "first"), [("CSV", "sequence,at,"), ("JSON Lines", '{"id"')])
def test_what_is_shown_is_downloaded_and_that_is_recorded(
    browser: Browser, live_server: Any, people: Cast, name: str, first: str
) -> None:
    page, _ = log(browser, live_server, people, "/audit/?who=operator")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    text = waiting.value.path().read_text(encoding="utf-8")
    assert text.startswith(first)
    assert text.count("rollout.paused") == 1
    assert "release.composed" not in text
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.after is not None
    assert (event.after["filters"], event.after["events"]) == ({"who": "operator"}, 1)
    page.goto(f"{live_server.url}/audit/")
    expect(page.get_by_text("exported events of the audit log")).to_be_visible()


def test_the_keyboard_is_enough(browser: Browser, live_server: Any, people: Cast) -> None:
    page, _ = log(browser, live_server, people)
    page.get_by_label("Person").focus()
    page.keyboard.type("owner")
    page.keyboard.press("Enter")
    events = page.get_by_role("list", name="Events").locator("> li")
    expect(events).to_have_count(1)
    events.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(events.get_by_text("Before → after")).to_be_visible()
    page.keyboard.press("Space")
    expect(events.get_by_text("Before → after")).to_be_hidden()
    page.get_by_role("button", name="Verify the log").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The log is whole")).to_be_visible()


def test_without_javascript_the_log_is_filtered_opened_and_verified(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _ = log(browser, live_server, people, java_script_enabled=False)
    page.get_by_label("Person").fill("operator")
    page.get_by_role("button", name="Filter").click()
    events = page.get_by_role("list", name="Events").locator("> li")
    expect(events).to_have_count(1)
    events.locator("summary").first.click()
    expect(events.get_by_text("running").first).to_be_visible()
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text("The log is whole")).to_be_visible()
