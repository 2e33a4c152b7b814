"""Inference events and their way into the database, as a serving node sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection

from promptstore.core.ids import uuid7
from telemetry import ingest_sql

DIGEST = "sha256:" + "a" * 64
AT = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)


def event(**changes: Any) -> dict[str, Any]:
    """A valid event of project `acme`, production, with `changes`."""
    return {
        "id": str(uuid7()),
        "at": AT.isoformat(),
        "project": "acme",
        "environment": "production",
        "feature": "config-assistant",
        "release_digest": DIGEST,
        "release_version": "1.0.0",
        "rollout_id": None,
        "arm": "stable",
        "reason": "stable",
        "prompt": "suggest",
        "prompt_version": "1.0.0",
        "model": "smollm2",
        "model_version": "1.0.0",
        "role": "primary",
        "endpoint": "local",
        "endpoint_revision": 3,
        "unit_hash": "u1",
        "session": None,
        "trace_id": None,
        "span_id": None,
        "status": "ok",
        "error_code": None,
        "latency_ms": 120.5,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd_nanos": 4200,
        "policy_hit": False,
        "policy_reasons": [],
        "output_valid": True,
        "variables_redacted": {"question": "how"},
        "output_redacted": '{"answer": "so"}',
        "stream": False,
        "generation": 7,
        "node": "n1",
        **changes,
    }


def ingest(
    events: Iterable[dict[str, Any]], *, into: psycopg.Connection[Any] | None = None
) -> tuple[int, int, int]:
    """Send one batch; returns (received, stored, rollup rows touched). Without `into`, in the test's transaction."""
    if into is None:
        connection.ensure_connection()
        into = connection.connection
        assert into is not None
    with into.transaction(), into.cursor() as cursor:
        cursor.execute(ingest_sql.CREATE_TEMP)
        with cursor.copy(ingest_sql.COPY) as copy:
            for one in events:
                copy.write_row((one["id"], json.dumps(one)))
        cursor.execute(ingest_sql.INGEST)
        row = cursor.fetchone()
        cursor.execute("DROP TABLE incoming_event")  # several batches share a test's one transaction
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])
