"""The two database roles and the database itself, on an embedded or a real server."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from promptstore.local.errors import LocalError

OWNER = "promptstore_owner"
APPLICATION = "promptstore_app"
DATABASE = "promptstore"
EXTENSIONS = ("pg_trgm", "btree_gist", "unaccent")
# Two starts at once take turns: any number does, as long as it is always the same.
_ADVISORY_LOCK = 7_230_001


@dataclass(frozen=True)
class Role:
    """A role that may log in."""

    name: str
    password: str = field(repr=False)


def ensure_roles(superuser_dsn: str, *, owner: Role, application: Role, database: str = DATABASE) -> None:
    """Make or repair both roles, the database and the rights in it. Idempotent.

    `superuser_dsn` may also name an administrator with CREATEROLE and CREATEDB, as hosted servers offer it.
    The owner may create databases (tests do) and is no superuser, since a superuser goes around triggers; the
    application owns nothing. Tables that the owner makes later are readable and writable by the application,
    not truncatable; migrations take away more where rows must not change.

    Raises `LocalError` if a role is more powerful than it may be or the database belongs to somebody else;
    `psycopg.Error` if the server refuses.
    """
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        _ensure_role(connection, owner, createdb=True)
        _ensure_role(connection, application, createdb=False)
        _ensure_database(connection, database, owner=owner.name)
        # The owner's own session does the rest: hosted administrators may not act on its objects.
        owner_dsn = make_conninfo(superuser_dsn, user=owner.name, password=owner.password, dbname=database)
        with psycopg.connect(owner_dsn, autocommit=True) as inside:
            _close_to_others(inside, database, application=application.name)
            install_extensions(inside)
            grant_application(inside, owner=owner.name, application=application.name)


def install_extensions(connection: psycopg.Connection) -> None:
    """All three are trusted extensions: the owner of a database may install them."""
    for name in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))


def grant_application(connection: psycopg.Connection, *, owner: str, application: str) -> None:
    """Rights of the application on what `owner` will make in schema public of this database."""
    defaults = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public").format(sql.Identifier(owner))
    for statement in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {application}",
        "{defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application}",
        "{defaults} GRANT USAGE, SELECT ON SEQUENCES TO {application}",
    ):
        connection.execute(
            sql.SQL(statement).format(application=sql.Identifier(application), defaults=defaults)
        )


def _close_to_others(connection: psycopg.Connection, database: str, *, application: str) -> None:
    names = {"database": sql.Identifier(database), "application": sql.Identifier(application)}
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {application}").format(**names))


def _ensure_role(connection: psycopg.Connection, role: Role, *, createdb: bool) -> None:
    # The verifier is computed here, so that the password never appears in a statement or a server's log.
    verifier = connection.pgconn.encrypt_password(
        role.password.encode(), role.name.encode(), b"scram-sha-256"
    )
    found = connection.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = %s",
        [role.name],
    ).fetchone()
    if found and found[0]:
        raise LocalError(
            f"role {role.name} is a superuser or may bypass row security, create roles or replicate; take "
            f"that away first (ALTER ROLE {role.name} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION)"
        )
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
            sql.SQL("ALTER" if found else "CREATE"),
            sql.Identifier(role.name),
            sql.SQL("CREATEDB" if createdb else "NOCREATEDB"),
            sql.Literal(verifier.decode()),
        )
    )


def _ensure_database(connection: psycopg.Connection, name: str, *, owner: str) -> None:
    found = connection.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    if found and found[0] != owner:
        raise LocalError(
            f"database {name} belongs to {found[0]}; hand it over first "
            f'(ALTER DATABASE "{name}" OWNER TO {owner})'
        )
    if found:
        return
    names = {"database": sql.Identifier(name), "owner": sql.Identifier(owner)}
    # An administrator who is no superuser must be a member of the role it gives a database to.
    for statement in (
        "GRANT {owner} TO CURRENT_USER",
        "CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'",
        "REVOKE {owner} FROM CURRENT_USER",
    ):
        connection.execute(sql.SQL(statement).format(**names))
