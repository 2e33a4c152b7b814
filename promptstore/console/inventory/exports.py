"""The inventory as a file: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

from django.core.serializers.json import DjangoJSONEncoder

from promptstore.console.audit.exports import safe_cell
from promptstore.console.inventory.points import Point
from promptstore.console.inventory.serializers import PointOut

COLUMNS = ("feature", "name", "environment", "state", "owner", "risk", "release", "prompts", "models", "services", "last_call",
           "calls_per_day")  # fmt: skip


def as_csv(found: Sequence[Point]) -> str:
    """A heading, then one line for each point; lists are joined by spaces."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for point in found:
        cells = {name: getattr(point, name) for name in COLUMNS}
        for name in ("prompts", "models", "services"):
            cells[name] = " ".join(map(str, cells[name]))
        cells["last_call"] = point.last_call.isoformat() if point.last_call else ""
        writer.writerow([safe_cell(cells[name]) for name in COLUMNS])
    return written.getvalue()


def as_json(found: Sequence[Point]) -> str:
    """As the management API gives them."""
    rows = PointOut(found, many=True).data
    return json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


FORMATS: dict[str, tuple[str, Callable[[Sequence[Point]], str]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}
