"""During an upgrade the version before runs on the migrated schema: a migration may add, and take nothing away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from promptstore.core.models import Project

OURS = frozenset({"core", "registry", "telemetry", "incidents", "evals", "reviews", "releases", "serving"})
TAKES_AWAY = (ops.DeleteModel, ops.RemoveField, ops.RenameField, ops.RenameModel, ops.AlterModelTable)


def later_operations() -> Iterator[tuple[str, Operation]]:
    """On tables that the version before may have: what a migration does to its own new tables is no matter."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app not in OURS or migration.initial:
            continue
        made = {one.name_lower for one in migration.operations if isinstance(one, ops.CreateModel)}
        for operation in migration.operations:
            about = getattr(operation, "model_name_lower", getattr(operation, "name_lower", ""))
            if about not in made:
                yield f"{app}.{name}", operation


def why_not(operation: Operation) -> str:
    """Why the version before could not go on, as a sentence; empty when it can."""
    if isinstance(operation, TAKES_AWAY):
        return f"{operation.describe()}: drop it one version later, when nothing reads it any more"
    if isinstance(operation, ops.AddField):
        field = operation.field
        if not (field.null or field.many_to_many or field.has_db_default()):
            return f"{operation.describe()}: the version before inserts rows without it; give it a db_default"
    return ""


def test_no_migration_takes_away_what_the_version_before_needs() -> None:
    found = {f"{name}: {reason}" for name, operation in later_operations() if (reason := why_not(operation))}
    assert found == set()


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        (ops.RemoveField("project", "name"), True),
        (ops.AddField("project", "mood", models.TextField(default="")), True),
        (ops.AddField("project", "mood", models.TextField(db_default="")), False),
        (ops.AddField("project", "mood", models.TextField(null=True)), False),
        (ops.CreateModel("Mood", []), False),
    ],
)
def test_what_is_looked_for_is_found(operation: Operation, refused: bool) -> None:
    assert Project._meta.app_label in OURS
    assert bool(why_not(operation)) is refused
