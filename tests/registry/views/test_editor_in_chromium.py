"""The prompt editor in a real browser: it saves by itself, keeps text in a conflict, and has no accessibility violations."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from registry.models import PromptDraft
from registry.services import drafts
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast
from tests.registry.conftest import make_prompt, says

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

EDITOR = "/prompts/suggest/edit/"


@pytest.fixture
def people(transactional_db: None) -> Cast:
    cast = make_cast("acme")
    make_prompt(cast)
    return cast


def editor(browser: Browser, live_server: Any, cast: Cast, **options: Any) -> tuple[Page, list[str]]:
    """The writer's editor, and what the browser's console complained about."""
    return opened(browser, live_server.url, cast.users["writer"], EDITOR, **options)


def stored() -> PromptDraft:
    return PromptDraft.objects.get()


def test_the_editor_saves_by_itself_and_a_finding_leads_to_its_place(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, complaints = editor(browser, live_server, people)

    page.fill("#message-0", "Be brief.\nAnd {{ nobody }}.")
    expect(page.locator("#editor-status")).to_contain_text("Saved")
    page.locator("#editor-findings a[data-line]").first.click()

    assert stored().body["messages"][0]["content"] == "Be brief.\nAnd {{ nobody }}."
    caret = page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart)")
    assert caret.startswith("nobody")
    assert complaints == []


def test_messages_are_added_moved_removed_and_taken_back(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, complaints = editor(browser, live_server, people)

    page.click("[data-add-message]")
    page.keyboard.type("Thanks.")
    page.locator("[data-move=up]").nth(2).click()
    page.locator("[data-remove]").first.click()
    page.click("text=Undo")
    expect(page.locator("[data-revision]")).not_to_have_value("1")
    page.wait_for_function("document.getElementById('editor-status').textContent.includes('Saved')")

    assert [item["content"][:7] for item in stored().body["messages"]] == ["You sug", "Thanks.", "Service"]
    assert complaints == []


def test_in_a_conflict_the_text_stays_until_the_person_decides(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _complaints = editor(browser, live_server, people)
    drafts.save_draft(actor=people.actor("engineer"), draft_id=stored().id, revision=1, body=says("Theirs."))

    page.fill("#message-0", "Mine.")
    expect(page.locator("#editor-notice")).to_contain_text("engineer@acme saved this draft")
    expect(page.locator("#message-0")).to_have_value("Mine.")
    assert stored().body["messages"][0]["content"] == "Theirs."
    page.click("text=Keep mine")
    expect(page.locator("#editor-status")).to_contain_text("Saved")

    assert stored().body["messages"][0]["content"] == "Mine."


def test_without_javascript_the_same_form_saves(browser: Browser, live_server: Any, people: Cast) -> None:
    page, _complaints = editor(browser, live_server, people, java_script_enabled=False)

    page.fill("#message-0", "No script.")
    page.click("button:text-is('Save')")

    expect(page.locator("#message-0")).to_have_value("No script.")
    assert stored().revision == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_editor_has_no_accessibility_violations_and_fits(
    browser: Browser, live_server: Any, people: Cast, theme: str, width: int
) -> None:
    page, complaints = editor(
        browser, live_server, people, color_scheme=theme, viewport={"width": width, "height": 800}
    )

    assert complaints == []
    check_page(page)
