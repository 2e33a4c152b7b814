"""Chromium for tests, and pages in it as one of a project's people sees them.

The fixture `browser` is in `tests/conftest.py`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from promptstore.local.browser import find_chromium

if TYPE_CHECKING:  # a browser is also driven where no Django is set up
    from promptstore.core.models import User

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

# A busy machine with two cores may take long over a page; what is right comes earlier and is not delayed by this.
_PATIENCE_MS = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium of this machine until the block ends; without one the test is skipped."""
    path = find_chromium()
    if path is None:
        pytest.skip(
            "no Chromium here; `make test` lists the command that installs it, and fails under CI=true"
        )
    with sync_playwright() as playwright:
        expect.set_options(timeout=_PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def chromium_beside_queries() -> Iterator[Browser]:
    """A Chromium for tests that also query the database themselves."""
    # Playwright's synchronous interface runs an event loop in this thread; Django then takes every query for asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as launched:
        yield launched
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def opened(
    browser: Browser,
    url: str,
    person: User,
    path: str,
    *,
    levels: Collection[str] = ("error",),
    **options: Any,
) -> tuple[Page, list[str]]:
    """A page of a signed-in person, and what the browser's console complained about (messages of these levels).

    `options` are those of a Playwright browser context.
    """
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    place = browser.new_context(**options)
    place.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    page = place.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in levels else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url + path)
    return page, complaints


def check_page(page: Page, where: str = "") -> None:
    """The page fits its window and has no accessibility violation.

    Look at its complaints before: the checker sets styles that the content security policy refuses.
    """
    where = where or page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, where
    # Its own fetching of style sheets looks for what they import in the wrong place.
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations] == [], where
