"""Where a database stands, read with plain SQL: it may have been made by another version of the product."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from promptstore.cli.backup.manifest import Heads

_GENESIS = "sha256:" + "0" * 64
_MIGRATED = "SELECT to_regclass('public.django_migrations') IS NOT NULL AND to_regclass('public.core_auditseal') IS NOT NULL"
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY app, name"
_AUDIT = "SELECT sequence, chain_digest FROM core_auditseal ORDER BY sequence DESC LIMIT 1"
_PROJECTS = """
SELECT p.slug, p.id::text AS id,
       (SELECT count(*) FROM core_auditevent e WHERE e.project_id = p.id) AS audit_events,
       (SELECT max(s.sequence) FROM core_auditseal s JOIN core_auditevent e ON e.id = s.event_id
        WHERE e.project_id = p.id) AS audit_sequence,
       (SELECT count(*) FROM releases_rollout r
        WHERE r.project_id = p.id AND r.state IN ('pending', 'running', 'paused', 'rolling_back')) AS live_rollouts
FROM core_project p ORDER BY p.slug
"""
_ENVIRONMENTS = """
SELECT p.slug AS project, v.slug AS environment, r.epoch, r.generation
FROM core_environment v JOIN core_project p ON p.id = v.project_id
LEFT JOIN LATERAL (SELECT epoch, generation FROM serving_root r WHERE r.environment_id = v.id
                   ORDER BY epoch DESC, generation DESC LIMIT 1) r ON true
ORDER BY p.slug, v.position, v.slug
"""
_REVOKED = "SELECT id::text FROM core_apikey WHERE revoked_at IS NOT NULL ORDER BY id"


def read_heads(connection: psycopg.Connection[Any]) -> Heads:
    """Everything in the connection's open transaction; all of it empty in a database that was never migrated."""
    if not _all(connection, _MIGRATED)[0][0]:
        return Heads((), 0, _GENESIS, 0, (), (), ())
    sequence, head = (_all(connection, _AUDIT) or [(0, _GENESIS)])[0]
    return Heads(
        migrations=tuple(name for (name,) in _all(connection, _MIGRATIONS)),
        audit_sequence=sequence,
        audit_head=head,
        audit_unsealed=_all(connection, "SELECT count(*) FROM core_auditpending")[0][0],
        projects=_dicts(connection, _PROJECTS),
        environments=_dicts(connection, _ENVIRONMENTS),
        revoked_keys=tuple(key for (key,) in _all(connection, _REVOKED)),
    )


def count_events(connection: psycopg.Connection[Any]) -> int:
    """How many audit events there are, sealed or not: it grows with every decision, and with nothing else."""
    migrated = _all(connection, _MIGRATED)[0][0]
    return int(_all(connection, "SELECT count(*) FROM core_auditevent")[0][0]) if migrated else 0


def server_version(connection: psycopg.Connection[Any]) -> tuple[str, int]:
    """As people write it, and the major number: `18.6`, 18."""
    number = connection.info.server_version
    return f"{number // 10_000}.{number % 10_000}", number // 10_000


def _all(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def _dicts(connection: psycopg.Connection[Any], query: str) -> tuple[dict[str, Any], ...]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return tuple(cursor.execute(query.encode()).fetchall())
