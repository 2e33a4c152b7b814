"""People of a project in Chromium, on a live server: each journey once in a wide light window and once in a narrow dark one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from promptstore.core.clock import ManualClock
from promptstore.core.models import User
from providers.scripted import ScriptedServer
from tests.browser import opened
from tests.cast import Cast, make_cast
from tests.e2e.conftest import RESULTS
from tests.e2e.journeys.keyboard import Keyboard
from tests.world import World, make_world

WINDOWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": ViewportSize(width=1440, height=900), "color_scheme": "light"},
    "narrow": {"viewport": ViewportSize(width=360, height=780), "color_scheme": "dark"},
}


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return make_cast("acme")


@pytest.fixture
def world(people: Cast, provider: ScriptedServer, clock: ManualClock) -> World:
    return make_world(people, provider)


@pytest.fixture(params=list(WINDOWS))
def seat(request: Any, browser: Browser, live_server: Any) -> Iterator[Callable[..., Keyboard]]:
    """`seat(user)` signs somebody in and puts them on Home, or on `path`, before an empty window of their own."""
    journey = request.node.originalname.removeprefix("test_")
    taken: list[Keyboard] = []

    def take(person: User, path: str = "/") -> Keyboard:
        shots = RESULTS / "journeys" / journey / request.param
        shots.mkdir(parents=True, exist_ok=True)
        page, complaints = opened(browser, live_server.url, person, path, **WINDOWS[request.param])
        page.set_default_timeout(30_000)
        taken.append(Keyboard(page, complaints, shots))
        return taken[-1]

    yield take
    for one in taken:
        one.page.goto("about:blank")  # nothing is asked any more when the database is emptied
        one.page.context.close()
