"""PagerDuty Events API v2: an alert that is triggered, acknowledged and resolved as the incident is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from incidents.notifications.snapshot import Event, IncidentSnapshot
from promptstore.core.digests import canonical_json

MAX_SUMMARY_CHARS: Final = 1024
MAX_DEDUP_KEY_CHARS: Final = 255
# An event has at most 512 KB; these stay below it however their characters are escaped.
MAX_EVENT_BYTES: Final = 512 * 1024
MAX_DETAIL_CHARS: Final = 20_000
MAX_RULES: Final = 50
MAX_RULE_CHARS: Final = 1_000
_ACTIONS: Final = {
    Event.OPENED: "trigger",
    Event.REPEATED: "trigger",
    Event.ACKNOWLEDGED: "acknowledge",
    # PagerDuty has no word for “harm ended, cause still open”: somebody is at it.
    Event.MITIGATED: "acknowledge",
    Event.RESOLVED: "resolve",
    Event.TEST: "trigger",
}
_SEVERITIES: Final = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}


def build(snapshot: IncidentSnapshot) -> dict[str, Any]:
    """The event without its routing key, which is a secret and joins it when it is sent."""
    event: dict[str, Any] = {
        "event_action": _ACTIONS[snapshot.event],
        "dedup_key": snapshot.cause[:MAX_DEDUP_KEY_CHARS],
    }
    if event["event_action"] != "trigger":
        return event
    details = {
        "state": snapshot.state,
        "severity": snapshot.severity,
        "summary": snapshot.summary[:MAX_DETAIL_CHARS],
        "broken_rules": [rule[:MAX_RULE_CHARS] for rule in snapshot.broken_rules[:MAX_RULES]],
        "rollout_id": snapshot.rollout_id,
        "release_digest": snapshot.release_digest,
    }
    return {
        **event,
        "client": "Promptstore",
        "client_url": snapshot.url,
        "links": [{"href": snapshot.url, "text": "The incident in Promptstore"}],
        "payload": {
            "summary": snapshot.title[:MAX_SUMMARY_CHARS],
            "source": snapshot.place,
            "severity": _SEVERITIES[snapshot.severity],
            "timestamp": snapshot.opened_at,
            "component": snapshot.feature,
            "group": snapshot.environment,
            "class": "promptstore.incident",
            "custom_details": {name: value for name, value in details.items() if value},
        },
    }


def encode(
    payload: Any, *, secrets: Sequence[str], message_id: str, timestamp_s: int
) -> tuple[dict[str, str], bytes]:
    """The body with the current routing key. PagerDuty recognises repeats by `dedup_key`."""
    _ = message_id, timestamp_s
    return {}, canonical_json({**payload, "routing_key": secrets[0]})
