"""The design system in a real browser: no accessibility violations in both themes, nothing refused by the content security
policy, keyboard, live updates without layout shift, and every write without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from promptstore.core.models import User
from tests.browser import check_page, opened
from tests.cast import make_cast

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True)
class Site:
    """The console, and a member of the staff."""

    url: str
    person: User


@pytest.fixture
def site(live_server: Any) -> Site:
    user = make_cast("acme").users["owner"]
    user.is_staff = True
    user.save()
    return Site(live_server.url, user)


def shown(browser: Browser, site: Site, path: str, **context: Any) -> tuple[Page, list[str]]:
    """A page and the list of what its console complained about, warnings too."""
    return opened(browser, site.url, site.person, path, levels=("error", "warning"), **context)


BOTH_WAYS = [(1440, "light"), (360, "dark")]


@pytest.mark.parametrize(
    ("path", "width", "theme"),
    [("/styleguide/?invalid", width, theme) for width in (1440, 360) for theme in ("light", "dark")]
    + [(path, width, theme) for path in ("/nowhere/", "password_change") for width, theme in BOTH_WAYS],
)
def test_a_page_is_accessible_and_fits(
    browser: Browser, site: Site, path: str, width: int, theme: str
) -> None:
    address = path if path.startswith("/") else reverse(path)
    page, complaints = shown(
        browser, site, address, viewport={"width": width, "height": 900}, color_scheme=theme
    )
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1")).to_have_count(1)
    assert not [text for text in complaints if "Failed to load resource" not in text]
    check_page(page)


def test_keys_reach_search_rows_and_menus(browser: Browser, site: Site) -> None:
    page, _ = shown(browser, site, "/styleguide/")
    page.locator("tbody a.ps-row-link").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "release-notes"
    page.locator(".ps-person").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "ps-person"


def test_the_theme_changes_at_once_and_stays(browser: Browser, site: Site) -> None:
    page, _ = shown(browser, site, "/styleguide/", color_scheme="light")
    page.locator(".ps-person").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_a_live_region_updates_without_layout_shift_and_keeps_its_chart(browser: Browser, site: Site) -> None:
    page, complaints = shown(browser, site, "/styleguide/")
    page.locator("#live-sample").scroll_into_view_if_needed()
    canvas = page.locator("#live-latency-plot canvas").element_handle()
    page.evaluate(
        "window.shift = 0; new PerformanceObserver(list => { for (const one of list.getEntries()) window.shift += one.value; })"
        ".observe({ type: 'layout-shift' })"
    )
    statuses: list[int] = []
    page.on(
        "response",
        lambda answer: statuses.append(answer.status) if "/styleguide/live/" in answer.url else None,
    )
    # The sample changes every ten seconds and is asked for every three: both answers come within a few rounds.
    for _ in range(20):
        page.wait_for_timeout(1000)
        if 304 in statuses and statuses.count(200) >= 2:
            break
    assert 304 in statuses
    assert 200 in statuses
    assert canvas is not None
    assert canvas.evaluate("element => element.isConnected")
    assert page.evaluate("window.shift") == 0
    assert complaints == []


def test_a_confirm_posts_its_reason_with_and_without_javascript(browser: Browser, site: Site) -> None:
    for javascript in (True, False):
        page, _ = shown(browser, site, "/styleguide/", java_script_enabled=javascript)
        page.get_by_text("Pause…").click()
        page.locator("details[open] [name=reason]").fill("A closer look")
        page.get_by_role("button", name="Pause rollout").click()
        expect(page.get_by_text("Your reason was: “A closer look”.")).to_be_visible()


def test_the_theme_changes_without_javascript(browser: Browser, site: Site) -> None:
    page, _ = shown(browser, site, "/styleguide/", java_script_enabled=False, color_scheme="dark")
    page.locator(".ps-person").click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_api_description_can_be_read_under_the_content_security_policy(
    browser: Browser, site: Site
) -> None:
    page, complaints = shown(browser, site, "/api/v1/docs/")
    expect(page.locator(".opblock").first).to_be_visible()
    assert complaints == []
