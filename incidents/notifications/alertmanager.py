"""Prometheus Alertmanager, API v2: one alert per incident, which ends when the incident is resolved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from incidents.notifications.snapshot import Event, IncidentSnapshot
from promptstore.core.digests import canonical_json

# Without an end Alertmanager takes an alert for resolved after its `resolve_timeout` (five minutes), because Prometheus would
# repeat it. An incident is told once, so it fires until this far-away end, or until its resolution is told.
_NOT_ENDED: Final = "9999-12-31T00:00:00Z"
_SEVERITIES: Final = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "info"}


def build(snapshot: IncidentSnapshot) -> list[dict[str, Any]]:
    """The body of `POST /api/v2/alerts`. Labels are an alert's identity, so they hold nothing that changes."""
    ended = snapshot.at if snapshot.event is Event.TEST else snapshot.resolved_at
    return [
        {
            "labels": {
                "alertname": "PromptstoreTest" if snapshot.event is Event.TEST else "PromptstoreIncident",
                "incident": snapshot.id,
                "project": snapshot.project,
                "environment": snapshot.environment,
                "feature": snapshot.feature,
                "cause": snapshot.dedup_key,
            },
            "annotations": {
                "summary": snapshot.title,
                "description": snapshot.summary,
                "state": snapshot.state,
                "incident_severity": snapshot.severity,
                "severity": _SEVERITIES[snapshot.severity],
                "latest": snapshot.said,
            },
            "startsAt": snapshot.opened_at,
            "endsAt": ended or _NOT_ENDED,
            "generatorURL": snapshot.url,
        }
    ]


def encode(
    payload: Any, *, secrets: Sequence[str], message_id: str, timestamp_s: int
) -> tuple[dict[str, str], bytes]:
    """The body, with a bearer token where the channel has one. Alertmanager recognises repeats by their labels."""
    _ = message_id, timestamp_s
    headers = {"Authorization": f"Bearer {secrets[0]}"} if secrets else {}
    return headers, canonical_json(payload)
