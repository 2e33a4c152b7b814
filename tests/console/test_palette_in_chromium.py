"""The search palette in a real browser, by keyboard alone; and the inventory's pages as everybody sees them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from registry.models import Feature, Prompt, SourceScan
from registry.scans import ReportedSite
from registry.services.scans import report_scan
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    cast = make_cast("acme")
    for name in ("config-assistant", "release-notes"):
        Prompt.objects.create(project=cast.project, name=name)
    Feature.objects.create(project=cast.project, slug="config-assistant", name="Config assistant")
    for revision, governed in (("a", False), ("b", True)):
        report_scan(
            actor=cast.actor("engineer"), project_id=cast.project.pk, source="github.com/acme/shop", revision=revision, files=3,
            sites=[
                ReportedSite("1", "shop/assistant.py", 7, "openai chat.completions.create", governed=governed, symbol="ask"),
                ReportedSite("2", "shop/" + "long_" * 20 + "name.py", 9, "ollama chat", governed=False, snippet="x" * 120),
            ],
        )  # fmt: skip
    return cast


def shown(
    browser: Browser, live_server: Any, cast: Cast, path: str, **options: Any
) -> tuple[Page, list[str]]:
    return opened(browser, live_server.url, cast.users["owner"], path, levels=("error", "warning"), **options)


def found(page: Page) -> Locator:
    """The palette's list; the page's own selects have options too."""
    return page.get_by_role("listbox", name="Results")


def test_the_palette_finds_and_opens_by_keyboard_alone(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, complaints = shown(browser, live_server, people, "/audit/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or command")
    expect(field).to_be_focused()
    expect(found(page).get_by_role("option", name="New prompt")).to_be_visible()
    page.keyboard.type("release-n")
    expect(found(page).get_by_role("option")).to_have_count(2)
    option = found(page).get_by_role("option", name="release-notes").first
    expect(option).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    expect(page.locator("[data-palette-status]")).to_have_text("2 results")
    page.keyboard.press("ArrowDown")
    expect(found(page).get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/prompts/release-notes/")
    page.keyboard.press("/")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()
    assert complaints == []


def test_enter_waits_for_the_list_and_the_search_page_helps_where_none_comes(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _ = shown(browser, live_server, people, "/audit/")
    page.keyboard.press("Control+k")
    page.keyboard.type("new prompt")
    page.keyboard.press("Enter")  # before the list can have come
    page.wait_for_url("**/prompts/new/")
    page.goto(f"{live_server.url}/audit/")
    page.route("**/search/palette/**", lambda route: route.abort())
    page.keyboard.press("Control+k")
    page.keyboard.type("release-notes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=release-notes")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_the_open_palette_is_accessible_and_fits(
    browser: Browser, live_server: Any, people: Cast, width: int, theme: str
) -> None:
    page, _ = shown(
        browser, live_server, people, "/audit/", viewport={"width": width, "height": 800}, color_scheme=theme
    )
    page.keyboard.press("Control+k")
    expect(found(page).get_by_role("option").first).to_be_visible()
    check_page(page, "the palette without a query")
    page.keyboard.type("no such thing")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    check_page(page, "the palette that found nothing")


def test_without_javascript_the_field_in_the_head_searches(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _ = shown(browser, live_server, people, "/audit/", java_script_enabled=False)
    field = page.get_by_role("searchbox", name="Search")
    field.fill("release-notes")
    field.press("Enter")
    expect(page.get_by_role("link", name="release-notes", exact=True)).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_the_inventorys_pages_are_accessible_and_fit(
    browser: Browser, live_server: Any, people: Cast, width: int, theme: str
) -> None:
    page, complaints = shown(
        browser,
        live_server,
        people,
        "/inventory/",
        viewport={"width": width, "height": 900},
        color_scheme=theme,
    )
    places = [
        "/inventory/",
        "/inventory/artifacts/",
        "/inventory/coverage/",
        *(f"/inventory/coverage/{scan.pk}/" for scan in SourceScan.objects.all()[:1]),
    ]
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    for place in places:
        page.goto(live_server.url + place)
        page.wait_for_load_state("networkidle")
        expect(page.locator("h1")).to_have_count(1)
    assert (missing, complaints) == ([], [])
    for place in places:
        page.goto(live_server.url + place)
        page.wait_for_load_state("networkidle")
        check_page(page)
