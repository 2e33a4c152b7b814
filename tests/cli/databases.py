"""Databases of a test's own on the tests' server: what a restore replaces must not be the one that other tests use."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from promptstore.cli.database import ROOT
from promptstore.local.commands import MIGRATE


@dataclass(frozen=True)
class Database:
    """Its name, and its URLs as the owner and as the application."""

    name: str
    owner_url: str
    application_url: str

    def names_beside(self) -> list[str]:
        """Databases that were made from this one, such as those that restores keep."""
        with _control() as control:
            rows = control.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [f"{self.name}\\_%"]
            )
            return [str(name) for (name,) in rows]

    def end_sessions(self) -> None:
        """A pooler between keeps idle ones, as the application."""
        connection.close()
        for url in (settings.DATABASE_URL, settings.DATABASE_OWNER_URL):
            with psycopg.connect(
                _naming(url, "postgres"), autocommit=True, prepare_threshold=None
            ) as control:
                control.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = %s AND usename = current_user",
                    [self.name],
                )

    @contextmanager
    def used_by_django(self) -> Iterator[None]:
        """Django's connection leads here until the block ends; connections that threads open, too."""
        before = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = self.name
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before


def is_pooled() -> bool:
    """Whether a pooler is between us and the server."""
    return bool(settings.DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"])


def end_pooled_sessions() -> None:
    """What a pooler keeps open to the database that commands take for the instance's."""
    if is_pooled():
        owner_url = settings.DATABASE_OWNER_URL
        Database(urlsplit(owner_url).path.lstrip("/"), owner_url, settings.DATABASE_URL).end_sessions()


@contextmanager
def a_copy(original: Database) -> Iterator[Database]:
    """A copy of what is committed in a database that nobody else uses now."""
    original.end_sessions()
    with _made(sql.SQL("TEMPLATE {}").format(sql.Identifier(original.name))) as database:
        yield database


@contextmanager
def empty_database() -> Iterator[Database]:
    """One that was never migrated."""
    with _made(sql.SQL("TEMPLATE template0")) as database:
        yield database


@contextmanager
def migrated_database() -> Iterator[Database]:
    """One with the schema and nothing in it, migrated as operators do it."""
    with empty_database() as database:
        environment = {
            **os.environ,
            "DATABASE_URL": database.application_url,
            "DATABASE_OWNER_URL": database.owner_url,
        }
        subprocess.run(MIGRATE, cwd=ROOT, env=environment, check=True)
        yield database


@contextmanager
def _made(how: sql.Composable) -> Iterator[Database]:
    name = f"live_{secrets.token_hex(4)}"
    with _control() as control:
        control.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), how))
    made = Database(name, _naming(settings.DATABASE_OWNER_URL, name), _naming(settings.DATABASE_URL, name))
    try:
        yield made
    finally:
        made.end_sessions()
        with _control() as control:
            for one in [name, *made.names_beside()]:
                control.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(one)))


def _control() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(_naming(settings.DATABASE_OWNER_URL, "postgres"), autocommit=True)


def _naming(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()
