"""The log as a file: CSV for spreadsheets, JSON Lines for programs. Lines are made as they are sent, newest first."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from promptstore.console.audit.sentences import sentence
from promptstore.console.audit.serializers import AuditEventOut
from promptstore.core.models import AuditEvent

CHUNK = 1_000
COLUMNS = (
    "sequence", "at", "actor_kind", "actor_id", "actor_name", "action", "said", "object_type", "object_id", "object_name",
    "before", "after", "reason", "event_id", "event_digest", "chain_digest",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """A heading, then one line for each event. Cells that a spreadsheet would compute begin with an apostrophe."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in _each(events):
        yield writer.writerow([safe_cell(value) for value in _cells(event)])


def json_lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """One object a line, as the management API gives it."""
    for event in _each(events):
        yield json.dumps(AuditEventOut(event).data, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"


# What the address ends with → content type, and the lines.
FORMATS: dict[str, tuple[str, Callable[[QuerySet[AuditEvent]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/x-ndjson", json_lines),
}


def safe_cell(value: object) -> str:
    """A cell as text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


class _Echo:
    """A file for `csv.writer` that gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _each(events: QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    """Every event, a range of ids at a time: no cursor stays open while a slow reader downloads."""
    rows = list(events[:CHUNK])
    while rows:
        yield from rows
        rows = list(events.filter(pk__lt=rows[-1].pk)[:CHUNK]) if len(rows) == CHUNK else []


def _cells(event: AuditEvent) -> tuple[object, ...]:
    seal = getattr(event, "seal", None)
    return (
        seal.sequence if seal else None, event.at.isoformat(), event.actor_kind, event.actor_id, event.actor_name, event.action,
        sentence(event.action, event.object_label, event.after), event.object_type, event.object_id, event.object_label,
        _json(event.before), _json(event.after), event.reason, event.pk,
        seal.event_digest if seal else None, seal.chain_digest if seal else None,
    )  # fmt: skip


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
