from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from promptstore.cli.doctor.database import check_database
from promptstore.core.schema import migrations_of_later_versions

pytestmark = pytest.mark.django_db


def doctors_finding() -> tuple[str, str]:
    return next((found.verdict, found.mend) for found in check_database() if found.check == "migrations")


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A migration that the database has and this version, as an earlier one would, has not."""
    nodes = MigrationLoader(connection).graph.node_map.values()
    key = next(node.key for node in nodes if not node.children and node.key[0] == "telemetry")
    load = MigrationLoader.load_disk

    def load_without(loader: MigrationLoader) -> None:
        load(loader)
        del loader.disk_migrations[key]

    monkeypatch.setattr(MigrationLoader, "load_disk", load_without)
    return str(key[0]), str(key[1])


def test_a_database_of_this_version_is_taken() -> None:
    assert migrations_of_later_versions(connection) == []
    call_command("migrate", "--check")
    assert doctors_finding()[0] == "ok"


def test_a_database_of_a_later_version_is_refused_and_stays_as_it_is(missing: tuple[str, str]) -> None:
    applied = MigrationRecorder(connection).applied_migrations().keys()
    with pytest.raises(CommandError, match=f"later version of Promptstore: it holds {'.'.join(missing)}"):
        call_command("migrate", verbosity=0)
    assert MigrationRecorder(connection).applied_migrations().keys() == applied
    verdict, mend = doctors_finding()
    assert verdict == "fail"
    assert "restore the backup" in mend
