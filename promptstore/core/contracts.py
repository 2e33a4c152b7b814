"""What the database itself enforces, installed after every migration from what the models declare.

- a composite foreign key `(project_id, x_id)` for every foreign key between tenant rows;
- a trigger on insert-only tables that refuses UPDATE and DELETE, also to the owner;
- the application role's privileges: no DDL, no TRUNCATE, and only SELECT and INSERT on insert-only tables.

Everything here is idempotent. It runs as the owner role.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models
from django.db.backends.utils import CursorWrapper

from promptstore.core.models.base import TenantModel

_REFUSE = """
CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def after_migrate(*, using: str, **_: Any) -> None:
    """`post_migrate` hook: install every contract on the database that was just migrated."""
    with connections[using].cursor() as cursor:
        cursor.execute(_REFUSE)
        for model in _models():
            if issubclass(model, TenantModel):
                _tenant_keys(cursor, model)
            if is_insert_only(model):
                _refuse_changes(cursor, model)
        _grant(cursor)


def is_insert_only(model: type[models.Model]) -> bool:
    """Whether rows of `model` may only be added."""
    return bool(getattr(model, "insert_only", False))


def tenant_foreign_keys(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    """The foreign keys of a tenant model that point at tenant rows."""
    return [
        field
        for field in model._meta.local_fields  # noqa: SLF001 - the documented model meta API
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantModel)
    ]


def _models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]  # noqa: SLF001


def _exists(cursor: CursorWrapper, name: str, table: str) -> bool:
    cursor.execute(
        "SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass", [name, table]
    )
    return cursor.fetchone() is not None


def _tenant_keys(cursor: CursorWrapper, model: type[models.Model]) -> None:
    table = model._meta.db_table  # noqa: SLF001
    _unique(cursor, table)
    for field in tenant_foreign_keys(model):
        target = field.related_model._meta.db_table  # noqa: SLF001
        _unique(cursor, target)
        name = f"{table}_{field.column}_tenant"[:63]
        if not _exists(cursor, name, table):
            cursor.execute(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (project_id, "{field.column}") '
                f'REFERENCES "{target}" (project_id, id) DEFERRABLE INITIALLY DEFERRED'
            )


def _unique(cursor: CursorWrapper, table: str) -> None:
    name = f"{table}_tenant"[:63]
    if not _exists(cursor, name, table):
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" UNIQUE (project_id, id)')


def _refuse_changes(cursor: CursorWrapper, model: type[models.Model]) -> None:
    table = model._meta.db_table  # noqa: SLF001
    cursor.execute(
        f'CREATE OR REPLACE TRIGGER "{table[:50]}_immutable" BEFORE UPDATE OR DELETE ON "{table}" '
        "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
    )


def _grant(cursor: CursorWrapper) -> None:
    role = settings.APPLICATION_ROLE
    cursor.execute("SELECT current_user")
    if not role or cursor.fetchone()[0] == role:
        return  # one role for everything: allowed for a trial, reported by `promptctl doctor`
    cursor.execute("SELECT quote_ident(current_database())")
    database = cursor.fetchone()[0]
    # Serving nodes copy telemetry into a temporary table before it is stored.
    cursor.execute(f'GRANT TEMPORARY ON DATABASE {database} TO "{role}"')
    cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    cursor.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{role}"')
    cursor.execute(f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}"')
    cursor.execute(f'REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM "{role}"')
    for model in _models():
        if is_insert_only(model):
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{model._meta.db_table}" FROM "{role}"')  # noqa: SLF001
