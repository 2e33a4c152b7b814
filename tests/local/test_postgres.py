from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptstore.local import roles
from promptstore.local.embedded import PostgresUrls, embedded_postgres, running
from promptstore.local.errors import LocalError
from promptstore.local.home import Home
from promptstore.local.postgres import SOCKET_PATH_LIMIT, EmbeddedPostgres

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("local-postgres")]


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresUrls]:
    with embedded_postgres(tmp_path_factory.mktemp("a home"), durable=False) as urls:
        with psycopg.connect(urls.owner_url, autocommit=True) as owner:
            owner.execute(
                "CREATE TABLE thing (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)"
            )
        yield urls


def test_the_application_reads_and_writes_what_the_owner_makes(urls: PostgresUrls) -> None:
    with psycopg.connect(urls.app_url) as application:
        application.execute("INSERT INTO thing (name) VALUES ('a')")
        assert application.execute("SELECT count(*) FROM thing").fetchone() == (1,)
        application.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE thing",
        "DROP TABLE thing",
        "ALTER TABLE thing DISABLE TRIGGER ALL",
        "ALTER TABLE thing OWNER TO promptstore_app",
        "CREATE TABLE other (id int)",
        "CREATE DATABASE other",
        "CREATE ROLE other",
        "SET ROLE promptstore_owner",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "COPY thing FROM PROGRAM 'true'",
    ],
)
def test_the_application_may_not_go_around_the_rules(urls: PostgresUrls, statement: str) -> None:
    with (
        psycopg.connect(urls.app_url, autocommit=True) as application,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        application.execute(statement)


def test_the_owner_is_no_superuser(urls: PostgresUrls) -> None:
    with (
        psycopg.connect(urls.owner_url, autocommit=True) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        owner.execute("SET session_replication_role = replica")


def test_a_database_the_owner_makes_has_the_extensions_and_rights(urls: PostgresUrls) -> None:
    with psycopg.connect(urls.owner_url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE test_other")
    with psycopg.connect(make_conninfo(urls.owner_url, dbname="test_other"), autocommit=True) as owner:
        owner.execute("CREATE TABLE thing (id int)")
        found = {name for (name,) in owner.execute("SELECT extname FROM pg_extension")}
    with psycopg.connect(make_conninfo(urls.app_url, dbname="test_other")) as application:
        application.execute("INSERT INTO thing VALUES (1)")
    assert set(roles.EXTENSIONS) <= found


def test_a_wrong_password_does_not_open_a_session(urls: PostgresUrls) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(urls.app_url, password="guess"))


def test_roles_can_be_ensured_again_with_new_passwords(urls: PostgresUrls) -> None:
    owner, application = roles.Role("second_owner", "one"), roles.Role("second_app", "two")
    for _ in range(2):
        roles.ensure_roles(urls.superuser_url, owner=owner, application=application, database="second")
    changed = roles.Role("second_app", "three")
    roles.ensure_roles(urls.superuser_url, owner=owner, application=changed, database="second")
    with psycopg.connect(make_conninfo(urls.app_url, user="second_app", password="three", dbname="second")):
        pass


def test_an_administrator_who_is_no_superuser_can_make_the_roles(urls: PostgresUrls) -> None:
    with psycopg.connect(urls.superuser_url, autocommit=True) as superuser:
        superuser.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD 'hosted'")
    dsn = make_conninfo(urls.superuser_url, user="administrator", password="hosted")
    owner, application = roles.Role("hosted_owner", "one"), roles.Role("hosted_app", "two")
    for _ in range(2):
        roles.ensure_roles(dsn, owner=owner, application=application, database="hosted")


def test_a_role_that_is_a_superuser_is_refused(urls: PostgresUrls) -> None:
    with psycopg.connect(urls.superuser_url, autocommit=True) as superuser:
        superuser.execute("CREATE ROLE mighty SUPERUSER")
    with pytest.raises(LocalError, match="role mighty is a superuser"):
        roles.ensure_roles(
            urls.superuser_url,
            owner=roles.Role("third_owner", "one"),
            application=roles.Role("mighty", "two"),
        )


def test_a_database_of_somebody_else_is_refused(urls: PostgresUrls) -> None:
    with pytest.raises(LocalError, match="database postgres belongs to postgres"):
        roles.ensure_roles(
            urls.superuser_url,
            owner=roles.Role("fourth_owner", "one"),
            application=roles.Role("fourth_app", "two"),
            database="postgres",
        )


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    server = EmbeddedPostgres(home=Home.open(tmp_path), durable=False)
    server.prepare()
    with running(server.service(), server.home), pytest.raises(LocalError, match="already runs on"):
        server.prepare()


def test_committed_data_survives_a_killed_server_and_stale_lock_files(tmp_path: Path) -> None:
    # The name is too long for a socket below the home, so this also covers the directory for temporary files.
    server = EmbeddedPostgres(home=Home.open(tmp_path / ("long " * 25)))
    assert len(str(server.directory)) > SOCKET_PATH_LIMIT
    server.prepare()
    with running(server.service(), server.home) as process:
        server.ensure_roles()
        with psycopg.connect(server.owner_url) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 1 AS one")
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    for lock_file in (
        server.directory / "data" / "postmaster.pid",
        server.socket_directory / ".s.PGSQL.5432.lock",
    ):
        lock_file.write_text(lock_file.read_text().replace(str(process.pid), str(os.getpid()), 1))
    server.prepare()
    with running(server.service(), server.home), psycopg.connect(server.app_url) as application:
        assert application.execute("SELECT one FROM kept").fetchone() == (1,)
    server.socket_directory.rmdir()
