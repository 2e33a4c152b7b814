"""An earlier version on the data directory of a later one: refused before anything changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psycopg
import pytest

from promptstore.local.embedded import ROOT, embedded_postgres
from tests.upgrade.instance import NotStartedError, running, unpacked
from tests.upgrade.make_fixture import FIXTURES

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def applied(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()


def test_a_start_on_a_later_versions_directory_is_refused_and_changes_nothing() -> None:
    """An old directory with a migration of a version to come: this version would have migrations of its own to apply."""
    with tempfile.TemporaryDirectory(prefix="ps-down-") as place:
        home = unpacked(min(FIXTURES.glob("*.tar.xz")), Path(place))
        with embedded_postgres(home) as urls:
            with psycopg.connect(urls.owner_url) as connection:
                connection.execute(
                    "INSERT INTO django_migrations (app, name, applied) VALUES ('releases', '0900_later', now())"
                )
            before = applied(urls.owner_url)
        later = r"used by a later version of Promptstore: it holds releases\.0900_later"
        start = running(home, checkout=ROOT, model_url="http://127.0.0.1:9/v1")
        with pytest.raises(NotStartedError, match=later), start:
            pass
        with embedded_postgres(home) as urls:
            assert applied(urls.owner_url) == before
