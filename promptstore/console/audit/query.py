"""The page's filters as they stand in its URL, so that a view of the log can be bookmarked and sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import QueryDict

from promptstore.console.audit.selectors import AuditFilter, since_of

NAMES = ("who", "action", "what", "kind", "object", "text", "range", "since", "until")
_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """`asked` is what the form shows again, `wanted` what the log is asked for, `problem` what could not be read."""

    asked: dict[str, str]
    wanted: AuditFilter
    problem: str = ""

    @property
    def filtered(self) -> bool:
        return any(self.asked.values())


def read_query(params: QueryDict) -> AuditQuery:
    """Read the filters. A time that cannot be read filters nothing and is named in `problem`."""
    asked = {name: params.get(name, "").replace("\x00", "").strip()[:_MAX_CHARS] for name in NAMES}
    since, until = _moment(asked["since"]), _moment(asked["until"])
    unread = [
        asked[name] for name, found in (("since", since), ("until", until)) if asked[name] and not found
    ]
    return AuditQuery(
        asked=asked,
        wanted=AuditFilter(
            who=asked["who"],
            action=asked["action"],
            what=asked["what"],
            kind=asked["kind"],
            object_id=asked["object"],
            text=asked["text"],
            since=max(filter(None, (since, since_of(asked["range"]))), default=None),
            until=until,
        ),
        problem=f"“{unread[0]}” is not a time. Write it like 2026-03-02T09:00." if unread else "",
    )


def _moment(text: str) -> datetime | None:
    """A time in ISO 8601; without a zone, as a browser's field gives it, it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
