"""Put the restored database in the place of the real one, in one step that happens or does not."""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import sql

from promptstore.cli.backup.heads import count_events
from promptstore.cli.backup.instance import Instance
from promptstore.cli.backup.refusals import refused
from promptstore.cli.backup.scratch import MAINTENANCE, Scratch
from promptstore.core import clock

# Nodes serve from memory while the database is away and follow it again by themselves.
_NODES = "promptstore-serving"
_SESSIONS = """
SELECT pid, usename::text, application_name FROM pg_stat_activity
WHERE datname = %s AND usename IS NOT NULL AND pid <> pg_backend_pid()
"""
_WAIT_MS = 5_000


def others(connection: psycopg.Connection[tuple[object, ...]], database: str) -> Counter[str]:
    """Who is connected beside us and the serving nodes: `role (application)` → sessions."""
    rows = connection.execute(_SESSIONS, [database]).fetchall()
    return Counter(
        f"{role} ({application})" if application else str(role)
        for _pid, role, application in rows
        if application != _NODES
    )


def swap(instance: Instance, scratch: Scratch, *, seen: int, keep: bool) -> str | None:
    """Give the real name to the scratch database and return the former one's new name, or `None` if it was dropped.

    `seen` is the number of audit events when the restore was decided on: what was done since would be lost unseen, so then
    nothing happens. Sessions that are left are ended; new ones wait outside. Both renames commit together, so a crash leaves
    the old database or the new one. Raises `CommandError` and `psycopg.Error`.
    """
    former = f"{instance.database[:40]}_before_{clock.now():%Y%m%d%H%M%S}"
    control_url = instance.owner_url_of(MAINTENANCE)
    with (
        psycopg.connect(control_url, autocommit=True) as control,
        psycopg.connect(instance.owner_url) as inside,
    ):
        _allow(control, instance.database, allowed=False)
        try:
            _end_sessions(instance, scratch, control, but=inside.info.backend_pid)
            _require_unchanged(inside, seen)
            inside.close()
            with control.transaction():
                _rename(control, instance.database, former)
                _rename(control, scratch.name, instance.database)
                _allow(control, former, allowed=True)
        except BaseException:
            _allow(control, instance.database, allowed=True)
            raise
        if not keep:
            control.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(former)))
            return None
    return former


def _require_unchanged(connection: psycopg.Connection[tuple[object, ...]], seen: int) -> None:
    if count_events(connection) != seen:
        raise refused(
            "database_in_use",
            "Somebody changed the database during the restore. Stop console, workers and scheduler, and restore again.",
        )


def _end_sessions(
    instance: Instance, scratch: Scratch, control: psycopg.Connection[tuple[object, ...]], *, but: int
) -> None:
    """A role may end its own sessions; so the application's are ended as the application."""
    with psycopg.connect(instance.application_url_of(scratch.name), autocommit=True) as application:
        for connection in (control, application):
            connection.execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity "
                "WHERE datname = %s AND usename = current_user AND pid NOT IN (%s, pg_backend_pid())",
                [_WAIT_MS, instance.database, but],
            )


def _allow(connection: psycopg.Connection[tuple[object, ...]], database: str, *, allowed: bool) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
            sql.Identifier(database), sql.SQL("true" if allowed else "false")
        )
    )


def _rename(connection: psycopg.Connection[tuple[object, ...]], old: str, new: str) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
    )
