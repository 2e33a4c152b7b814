"""Checks of the database: reachable, migrated, and out of reach for the application where it must be."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from promptstore.cli.doctor.findings import Finding, fail, ok
from promptstore.core.contracts import is_insert_only
from promptstore.core.schema import migrations_of_later_versions

_MIGRATE = "Run `python manage.py migrate --database owner` with DATABASE_OWNER_URL set."
_LATER = "Run the later version, or restore the backup that was made before the upgrade (docs/upgrading.md)."
_ROLES = (
    "Give the application a role of its own that owns nothing: set DATABASE_URL and DATABASE_OWNER_URL, then "
    "`promptctl doctor --init-db` and the migrations."
)
_POWERS = """
SELECT rolsuper, rolcreaterole, rolbypassrls, rolreplication,
       has_schema_privilege(current_user, 'public', 'CREATE'),
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'MEMBER')),
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'TRUNCATE'))
FROM pg_roles WHERE rolname = current_user
"""
_NAMES = (
    "is a superuser",
    "may create roles",
    "may bypass row security",
    "may replicate",
    "may create tables",
    "owns tables",
    "may truncate tables",
)


def check_database() -> Iterator[Finding]:
    """Stops at the first check that makes the following ones meaningless."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('server_version')")
            role, version = cursor.fetchone()
    except DatabaseError as error:
        mend = (
            "Start PostgreSQL and check DATABASE_URL. A new server needs `promptctl doctor --init-db` once."
        )
        yield fail("database", _first_line(error), mend, unreachable=True)
        return
    yield ok("database", f"PostgreSQL {version.split()[0]} answers as {role}")
    migrations = _migrations()
    yield migrations
    yield _separation(role)
    if migrations.verdict == "ok":
        yield _insert_only(role)


def _migrations() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        later = migrations_of_later_versions(connection)
    except DatabaseError as error:
        return fail("migrations", _first_line(error), _MIGRATE)
    if later:
        return fail("migrations", f"{later[0]} is of a later version than this one", _LATER)
    if waiting:
        return fail("migrations", f"{len(waiting)} are not applied, first {waiting[0][0]}", _MIGRATE)
    return ok("migrations", "all applied")


def _separation(role: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(_POWERS)
        row = cursor.fetchone()
    powers = [name for name, has in zip(_NAMES, row, strict=True) if has]
    if powers:
        return fail("role separation", f"{role} {', '.join(powers)}", _ROLES)
    return ok("role separation", f"{role} owns nothing and cannot truncate or change tables")


def _insert_only(role: str) -> Finding:
    """Rows that never change: neither the privilege to change them, nor a missing guard."""
    tables = [model._meta.db_table for model in apps.get_models() if is_insert_only(model)]  # noqa: SLF001 - Django's documented meta API
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.name FROM unnest(%s::text[]) AS t(name)
            WHERE has_table_privilege(t.name, 'UPDATE') OR has_table_privilege(t.name, 'DELETE') OR NOT EXISTS (
              SELECT 1 FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
              WHERE g.tgrelid = t.name::regclass AND p.proname = 'core_refuse_change' AND g.tgenabled IN ('O', 'A'))
            """,
            [tables],
        )
        open_ones = [name for (name,) in cursor.fetchall()]
    if open_ones:
        detail = f"{role} may change {', '.join(open_ones[:5])}, or their guard is off"
        return fail("insert-only tables", detail, f"{_MIGRATE} It installs the guards again.")
    return ok("insert-only tables", f"{len(tables)} are guarded by privilege and trigger")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
