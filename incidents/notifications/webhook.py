"""Generic webhooks by the Standard Webhooks specification: `type`, `timestamp`, `data`, and a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incidents.notifications import signing
from incidents.notifications.snapshot import IncidentSnapshot
from promptstore.core.digests import canonical_json


def build(snapshot: IncidentSnapshot) -> dict[str, Any]:
    """The body. Members are only ever added."""
    return {
        "type": snapshot.event.value,
        "timestamp": snapshot.at,
        "data": {
            "actor": snapshot.actor,
            "text": snapshot.said,
            "incident": {
                "id": snapshot.id,
                "url": snapshot.url,
                "project": snapshot.project,
                "environment": snapshot.environment,
                "feature": snapshot.feature,
                "title": snapshot.title,
                "summary": snapshot.summary,
                "severity": snapshot.severity,
                "state": snapshot.state,
                "dedup_key": snapshot.dedup_key,
                "rollout_id": snapshot.rollout_id or None,
                "release_digest": snapshot.release_digest or None,
                "broken_rules": list(snapshot.broken_rules),
                "opened_at": snapshot.opened_at,
                "acknowledged_at": snapshot.acknowledged_at or None,
                "mitigated_at": snapshot.mitigated_at or None,
                "resolved_at": snapshot.resolved_at or None,
            },
        },
    }


def encode(
    payload: Any, *, secrets: Sequence[str], message_id: str, timestamp_s: int
) -> tuple[dict[str, str], bytes]:
    """Headers and body; every attempt is signed anew over the same bytes."""
    body = canonical_json(payload)
    return signing.headers(message_id, timestamp_s, body, secrets_=secrets), body
