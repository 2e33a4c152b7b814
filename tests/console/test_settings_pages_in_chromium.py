"""Settings and features in a real browser: accessible in both themes, narrow and wide, and usable without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from promptstore.core import clock, keys
from promptstore.core.models import ApiKey
from registry.models import Feature
from registry.services import features
from tests.browser import check_page, opened
from tests.cast import Cast, make_cast

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return make_cast("acme")


def furnish(cast: Cast) -> ApiKey:
    """Tokens and keys in every state, and two features, one with an appointed approver; the owner's live token is returned."""
    owner, project = cast.actor("owner"), cast.project.pk
    make = keys.create_personal_token
    token, secret = make(actor=owner, project_id=project, name="laptop", expires_at=_in(days=80))
    keys.actor_for_key(secret)
    make(actor=owner, project_id=project, name="nightly report of a team far away", expires_at=_in(days=-3))
    gone, _ = make(actor=owner, project_id=project, name="old laptop")
    keys.revoke_key(actor=owner, key_id=gone.pk, project_id=project)
    for name, scopes in (("checkout", ["serve", "telemetry"]), ("release pipeline", ["release"])):
        keys.create_service_key(actor=owner, environment=cast.production, name=name, scopes=scopes)
    for slug, risk in (("ticket-summary", "limited"), ("config-assistant", "high")):
        feature = features.create_feature(
            actor=owner,
            project_id=project,
            slug=slug,
            name=slug.replace("-", " ").capitalize(),
            description="Suggests one configuration entry for the question that an operator asks.",
            risk_class=risk,
        )
    person = cast.users["approver"].pk
    features.appoint_approver(actor=owner, feature_id=feature.pk, user_id=person)
    return token


def _in(**delta: float) -> Any:
    return clock.now() + timedelta(**delta)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_the_pages_are_accessible_and_fit(
    browser: Browser, live_server: Any, people: Cast, width: int, theme: str
) -> None:
    token = furnish(people)
    page, complaints = opened(
        browser,
        live_server.url,
        people.users["owner"],
        "/settings/",
        viewport={"width": width, "height": 900},
        color_scheme=theme,
    )
    paths = (
        "/settings/",
        "/settings/tokens/new/",
        "/settings/keys/",
        "/settings/keys/new/",
        f"/settings/keys/{token.pk}/revoke/",
        "/features/",
        "/features/new/",
        "/features/config-assistant/",
    )
    for path in paths:
        page.goto(live_server.url + path)
        expect(page.locator("h1")).to_have_count(1)
    # Before the checker comes, which sets styles that the content security policy refuses.
    assert not [text for text in complaints if "Failed to load resource" not in text]
    for path in paths:
        page.goto(live_server.url + path)
        check_page(page, path)
    page.goto(live_server.url + "/settings/tokens/new/")
    page.get_by_role("button", name="Make the token").click()
    check_page(page, "a form with an error")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make the token").click()
    check_page(page, "a secret")


def test_a_token_is_made_and_revoked_without_javascript(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _ = opened(browser, live_server.url, people.users["owner"], "/settings/", java_script_enabled=False)
    page.get_by_role("link", name="Make a token").first.click()
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("pre").first.inner_text()
    assert keys.actor_for_key(secret)

    page.reload()
    expect(page.get_by_text("That key exists already")).to_be_visible()
    assert ApiKey.objects.count() == 1

    page.get_by_role("link", name="Revoke laptop").click()
    page.get_by_label("Reason").fill("It was lost.")
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("laptop is revoked.")).to_be_visible()
    assert keys.actor_for_key(secret) is None


def test_a_feature_gets_and_loses_an_approver_without_javascript(
    browser: Browser, live_server: Any, people: Cast
) -> None:
    page, _ = opened(
        browser, live_server.url, people.users["owner"], "/features/new/", java_script_enabled=False
    )
    page.get_by_label("Short name").fill("summary")
    page.get_by_label("Name", exact=True).fill("Summary of a ticket")
    page.get_by_role("button", name="Create the feature").click()
    page.get_by_label("Person").select_option(label="approver@acme")
    page.get_by_role("button", name="Appoint").click()
    expect(page.get_by_text("may sign off summary now")).to_be_visible()

    page.get_by_text("Dismiss…").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Nobody is appointed")).to_be_visible()
    assert not Feature.objects.get().appointed_approvers.exists()
