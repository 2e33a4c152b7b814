"""Traffic as serving nodes record it: events of one rollout, stored through the real ingest statements."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from promptstore.core import clock
from promptstore.core.ids import uuid7
from releases.models import Rollout
from telemetry import ingest_sql


def record(
    rollout: Rollout,
    arm: str,
    count: int,
    *,
    policy_hits: int = 0,
    invalid: int = 0,
    errors: int = 0,
    latency_ms: float = 120.0,
    at: datetime | None = None,
) -> None:
    """Store `count` calls of one arm at `at` (now), the first ones of them with the given faults."""
    release = rollout.candidate if arm in {"candidate", "shadow"} else rollout.baseline
    events = [
        {
            "id": str(uuid7()),
            "at": (at or clock.now()).isoformat(),
            "project": rollout.project.slug,
            "environment": rollout.deployment.environment.slug,
            "feature": rollout.deployment.feature.slug,
            "release_digest": release.digest if release else "",
            "release_version": release.version if release else "",
            "rollout_id": str(rollout.id),
            "arm": arm,
            "reason": "split",
            "role": "primary",
            "status": "error" if index < errors else "ok",
            "latency_ms": latency_ms,
            "input_tokens": 40,
            "output_tokens": 12,
            "cost_usd_nanos": 8_800,
            "policy_hit": index < policy_hits,
            "policy_reasons": ["forbidden"] if index < policy_hits else [],
            "output_valid": None if index < errors else index >= invalid,
            "output_redacted": "an answer",
        }
        for index in range(count)
    ]
    store(events)


def store(events: list[dict[str, Any]]) -> tuple[int, int]:
    """Send events the way a node drains its spool; returns how many were received and how many were new."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ingest_sql.CREATE_TEMP)
        with cursor.copy(ingest_sql.COPY) as copy:
            for event in events:
                copy.write_row((event["id"], json.dumps(event)))
        cursor.execute(ingest_sql.INGEST)
        received, stored, _ = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incoming_event")
    return received, stored
