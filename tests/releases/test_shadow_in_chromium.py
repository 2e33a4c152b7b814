"""A rollout in shadow and its pairs in a real browser: accessible in both themes, narrow and wide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from promptstore.core.clock import ManualClock
from providers.scripted import ScriptedServer
from releases import controller
from releases.models import EnvironmentPolicy
from tests.browser import check_page, opened
from tests.cast import make_cast
from tests.releases.test_pairs import pair
from tests.threads import at_once
from tests.traffic import record
from tests.world import PLAN, SHADOW, World, make_world, production_policy

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
BUDGET = 44 * 8_800
LONG = '{"key": "log_level", "value": "' + "warning-and-everything-above-it-" * 6 + '"}'


@pytest.fixture
def world(transactional_db: None, provider: ScriptedServer, clock: ManualClock) -> World:
    return make_world(make_cast("acme"), provider)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_the_pages_of_a_shadow_are_accessible_and_fit(
    browser: Browser,
    live_server: Any,
    world: World,
    clock: ManualClock,
    width: int,
    theme: str,
    tmp_path: Path,
) -> None:
    costly = {"steps": [SHADOW | {"max_cost_nanos": BUDGET, "min_samples": 500}, *PLAN["steps"][1:]]}
    promotion = world.request(plan=costly)
    at_once(
        lambda: world.check(promotion)
    )  # gates start a loop of their own, which a browser's thread cannot
    promotion.refresh_from_db()
    world.approve(promotion)
    controller.tick()
    promotion.refresh_from_db()
    rollout = promotion.rollout
    pair(rollout, '{"key": "log_level", "value": "warning"}', LONG)
    pair(rollout, '{"key": "log_level", "value": "warning"}', None)
    pair(rollout, LONG, LONG)
    for _ in range(4):
        record(rollout, "stable", 40)
        record(rollout, "shadow", 11)
        clock.advance(minutes=1)
    paths = {
        "rollout": f"/releases/rollouts/{rollout.pk}/",
        "pairs": f"/releases/rollouts/{rollout.pk}/pairs/",
        "all-pairs": f"/releases/rollouts/{rollout.pk}/pairs/?show=all",
        "promotion": f"/releases/promotions/{promotion.pk}/",
    }
    page, complaints = opened(
        browser, live_server.url, world.cast.users["operator"], paths["rollout"],
        viewport={"width": width, "height": 900}, color_scheme=theme,
    )  # fmt: skip
    for name, path in paths.items():
        page.goto(live_server.url + path)
        page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
    assert not complaints
    controller.tick()
    page.goto(live_server.url + paths["rollout"])
    assert page.get_by_text("The budget for copies is spent").is_visible()
    page.screenshot(path=tmp_path / f"spent-{width}.png", full_page=True)
    # Last the pages that do not follow by themselves: nothing may be asked any more when the database is emptied.
    for path in (paths["rollout"], paths["promotion"], paths["all-pairs"], paths["pairs"]):
        page.goto(live_server.url + path)
        check_page(page, path)


def test_an_old_policys_page_says_what_to_add_and_fits(
    browser: Browser, live_server: Any, world: World, tmp_path: Path
) -> None:
    EnvironmentPolicy.objects.create(
        project=world.cast.project,
        environment=world.cast.production,
        number=2,
        body=production_policy(plan={"steps": PLAN["steps"][1:]}),
        digest="sha256:old",
    )
    page, complaints = opened(
        browser, live_server.url, world.cast.users["owner"], "/releases/environments/production/policy/",
        viewport={"width": 360, "height": 900},
    )  # fmt: skip
    assert page.get_by_text("The plan needs a shadow step").is_visible()
    page.screenshot(path=tmp_path / "policy-360.png", full_page=True)
    assert not complaints
    check_page(page, "policy")
