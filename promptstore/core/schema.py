"""Whether a database was used by a later version of the product than this one."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader


def migrations_of_later_versions(connection: BaseDatabaseWrapper) -> list[str]:
    """Applied migrations that this version does not have, as `app.name`, sorted.

    Migrations only grow, or are replaced by a squashed one that names them: what nothing here names, a later version applied.
    """
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    known |= {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations if (app, name) not in known)
