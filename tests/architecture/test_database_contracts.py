"""What the database itself refuses, asked of a real one that was migrated as production is."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.utils import ProgrammingError

from promptstore.core.contracts import is_insert_only, tenant_foreign_keys
from promptstore.core.models.base import TenantModel

pytestmark = pytest.mark.django_db

OURS = [
    model for model in apps.get_models() if model._meta.managed and not model.__module__.startswith("django.")
]
TENANTS = [model for model in OURS if issubclass(model, TenantModel)]
INSERT_ONLY = [model for model in OURS if is_insert_only(model)]


def label(model: type[models.Model]) -> str:
    return model._meta.label


def fetch(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def test_foreign_keys_across_apps_leave_no_trace_on_the_other_side() -> None:
    offered = [
        f"{model._meta.label}.{field.name} offers {field.related_model.__name__}.{field.remote_field.related_name}"
        for model in OURS
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.app_label != model._meta.app_label
        and not str(field.remote_field.related_name).endswith("+")
    ]
    assert not offered, 'related_name="+": an app must not grow attributes on the models of another'


@pytest.mark.parametrize("model", TENANTS, ids=label)
def test_a_row_cannot_point_into_another_project(model: type[models.Model]) -> None:
    composite = {
        (tuple(columns), target)
        for columns, target in fetch(
            """
            SELECT array_agg(a.attname ORDER BY k.position), f.relname
            FROM pg_constraint c
            JOIN pg_class f ON f.oid = c.confrelid
            CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(number, position)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
            WHERE c.contype = 'f' AND c.convalidated AND c.conrelid = %s::regclass
            GROUP BY c.oid, f.relname
            """,
            model._meta.db_table,
        )
    }
    missing = [
        field.name
        for field in tenant_foreign_keys(model)
        if (("project_id", field.column), field.related_model._meta.db_table) not in composite
    ]
    assert not missing


@pytest.mark.parametrize("model", TENANTS, ids=label)
def test_every_row_of_a_project_says_which(model: type[models.Model]) -> None:
    [(nullable,)] = fetch(
        "SELECT is_nullable FROM information_schema.columns WHERE table_name = %s AND column_name = 'project_id'",
        model._meta.db_table,
    )
    assert nullable == "NO"


@pytest.mark.parametrize("model", INSERT_ONLY, ids=label)
def test_rows_that_never_change_are_out_of_the_applications_reach(model: type[models.Model]) -> None:
    table = model._meta.db_table
    for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
        assert fetch(
            "SELECT has_table_privilege(%s, %s, %s)", settings.APPLICATION_ROLE, table, privilege
        ) == [(False,)], privilege
    # Column privileges would be a way around.
    assert fetch("SELECT has_any_column_privilege(%s, %s, 'UPDATE')", settings.APPLICATION_ROLE, table) == [
        (False,)
    ]


@pytest.mark.parametrize("model", INSERT_ONLY, ids=label)
def test_rows_that_never_change_are_guarded_from_the_owner_too(model: type[models.Model]) -> None:
    guards = fetch(
        """
        SELECT t.tgenabled::text, (t.tgtype & 16) > 0, (t.tgtype & 8) > 0
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = %s::regclass AND p.proname = 'core_refuse_change'
        """,
        model._meta.db_table,
    )
    assert guards == [("O", True, True)], "an enabled trigger on update and delete"


def test_the_application_may_truncate_nothing() -> None:
    assert not fetch(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND has_table_privilege(%s, c.oid, 'TRUNCATE')
        """,
        settings.APPLICATION_ROLE,
    )


def test_the_application_owns_nothing_and_makes_nothing() -> None:
    role = settings.APPLICATION_ROLE
    assert not fetch("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = %s", role)
    assert not fetch("SELECT proname FROM pg_proc WHERE pg_get_userbyid(proowner) = %s", role)
    assert fetch("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]
    assert fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        role,
    ) == [(False, False, False, False, False)]
    assert not fetch("SELECT 1 FROM pg_auth_members WHERE pg_get_userbyid(member) = %s", role)


def test_the_tests_themselves_run_as_the_application() -> None:
    assert fetch("SELECT current_user::text") == [(settings.APPLICATION_ROLE,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditevent SET reason = 'another'",
        "DELETE FROM core_auditevent",
        "TRUNCATE core_auditevent CASCADE",
        "ALTER TABLE core_auditevent DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE core_auditevent CASCADE",
        "CREATE TABLE mine (id int)",
        "DELETE FROM django_migrations",
    ],
)
def test_the_application_cannot_go_around_the_audit_log(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
