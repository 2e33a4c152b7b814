"""Whether a database was used by a later version of the product than this one."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader


def migrations_of_later_versions(connection: BaseDatabaseWrapper) -> list[str]:
    """Applied migrations that this version does not have, as `app.name`, sorted.

    Migrations only grow, or are replaced by a squashed one that names them: what nothing here names, a later version applied.
    """
    applied = {f"{app}.{name}" for app, name in MigrationLoader(connection).applied_migrations}
    return sorted(applied - known_migrations())


def known_migrations() -> set[str]:
    """The migrations of this version, and those that its squashed ones stand for, as `app.name`."""
    migrations = MigrationLoader(None).disk_migrations
    replaced = {old for migration in migrations.values() for old in migration.replaces}
    return {f"{app}.{name}" for app, name in {*migrations, *replaced}}
