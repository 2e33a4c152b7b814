"""Everything a user may come to see of an answer, decoded: what the policy filter has to look at. Pure."""

from __future__ import annotations

from typing import Any

import orjson


def everything_shown(text: str, tool_calls: Any = None) -> str:
    """The text, what tools are called with, and what both say once decoded, one piece a line.

    Escapes in JSON must not hide a phrase from the filter: `"launch\\u0020code"` is shown as two words.
    """
    pieces = [text]
    pending: list[Any] = [_decoded(text), tool_calls]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pieces.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            pieces.append(value)
            pending.append(_decoded(value))
    return "\n".join(pieces)


def _decoded(text: str) -> Any:
    """The JSON object or list inside a text, or None."""
    try:
        return orjson.loads(text) if text.lstrip()[:1] in {"{", "["} else None
    except orjson.JSONDecodeError:
        return None
