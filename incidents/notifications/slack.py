"""Slack's incoming webhooks, which Mattermost and Rocket.Chat take too: a text, and the same in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from incidents.notifications.snapshot import Event, IncidentSnapshot
from promptstore.core.digests import canonical_json

MAX_SECTION_CHARS: Final = 3_000
MAX_HEADER_CHARS: Final = 150
_VERBS: Final = {
    Event.OPENED: "opened",
    Event.REPEATED: "found again",
    Event.ACKNOWLEDGED: "acknowledged",
    Event.MITIGATED: "mitigated",
    Event.RESOLVED: "resolved",
    Event.TEST: "test",
}


def build(snapshot: IncidentSnapshot) -> dict[str, Any]:
    """The message. Titles and remarks may come from models, so nothing in them can mention people or make links."""
    headline = f"{snapshot.severity} {_VERBS[snapshot.event]}: {snapshot.title}"
    about = f"{snapshot.place} · {snapshot.state} · by {snapshot.actor}"
    return {
        "text": _escape(headline, MAX_SECTION_CHARS),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": _short(headline, MAX_HEADER_CHARS)}},
            {
                "type": "section",
                "text": {"type": "plain_text", "text": _short(snapshot.said or about, MAX_SECTION_CHARS)},
            },
            {
                "type": "context",
                "elements": [{"type": "plain_text", "text": _short(about, MAX_SECTION_CHARS)}],
            },
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": f"<{snapshot.url}|Open it in Promptstore>"},
            },
        ],
    }


def encode(
    payload: Any, *, secrets: Sequence[str], message_id: str, timestamp_s: int
) -> tuple[dict[str, str], bytes]:
    """The body as it is: the secret is the URL."""
    _ = secrets, message_id, timestamp_s
    return {}, canonical_json(payload)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _escape(text: str, most: int) -> str:
    """Slack's three control characters, so that `<!channel>` stays text; cut first, because an entity must stay whole."""
    short = _short(text, most // 5)
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
