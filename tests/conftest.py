"""Fixtures for every test: the database as production has it, a clock that stands still, and a cast of people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from promptstore.core import clock as clocks
from promptstore.database_url import parse_database_url
from providers.scripted import ScriptedServer
from tests.cast import Cast, make_cast
from tests.world import ANSWER, World, make_world


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Create and migrate the test database as its owner."""
    _connect_as(settings.DATABASE_OWNER_URL)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Run the tests as the application role, so that what production may not do, tests may not do either."""
    with django_db_blocker.unblock():
        _connect_as(settings.DATABASE_URL)
    yield
    with django_db_blocker.unblock():
        _connect_as(settings.DATABASE_OWNER_URL)


def _connect_as(url: str) -> None:
    connection = connections["default"]
    connection.close()
    wanted = parse_database_url(url)
    connection.settings_dict.update(USER=wanted["USER"], PASSWORD=wanted["PASSWORD"])


def _flush_as_owner(self: TransactionTestCase) -> None:
    """The application role may not truncate; the owner cleans up after a test that committed."""
    connection = connections["default"]
    _connect_as(settings.DATABASE_OWNER_URL)
    try:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with connection.cursor() as cursor:
            for statement in connection.ops.sql_flush(
                no_style(), tables, reset_sequences=False, allow_cascade=True
            ):
                cursor.execute(statement)
    finally:
        _connect_as(settings.DATABASE_URL)


TransactionTestCase._fixture_teardown = _flush_as_owner  # type: ignore[attr-defined]


@pytest.fixture
def clock() -> Iterator[clocks.ManualClock]:
    """Decisions happen on Monday, 2026-03-02, 09:00 UTC until the test moves the clock."""
    manual = clocks.ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with clocks.use(manual):
        yield manual


@pytest.fixture
def cast(db: None) -> Cast:
    """Project `acme` with staging and production, and one person for each role."""
    return make_cast("acme")


@pytest.fixture
def strangers(db: None) -> Cast:
    """Another project with people of its own."""
    return make_cast("umbrella")


@pytest.fixture
def count_queries() -> Any:
    """`with count_queries() as seen: …; assert len(seen) <= n`."""
    return lambda: CaptureQueriesContext(connections["default"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a module; what they do with it is in `tests.browser`."""
    from tests.browser import chromium_beside_queries  # the other tests need no driver

    with chromium_beside_queries() as launched:
        yield launched


@pytest.fixture
def provider() -> Iterator[ScriptedServer]:
    """A real HTTP server with an OpenAI-compatible API that answers from a script."""
    with ScriptedServer({"default": {"answer": ANSWER}}) as server:
        yield server


@pytest.fixture
def world(cast: Cast, provider: ScriptedServer, clock: clocks.ManualClock) -> World:
    """A feature whose release 1.0.0 is live in staging and production; see `tests.world`."""
    return make_world(cast, provider)
