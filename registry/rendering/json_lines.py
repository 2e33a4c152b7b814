"""JSON laid out for reading and comparing line by line."""

from __future__ import annotations

import json


def json_lines(value: object) -> str:
    """Sorted keys, two spaces of indentation, one value a line; nothing at all for null."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2) + "\n"
