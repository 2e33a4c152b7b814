"""Members that several scorers' parameters share, as JSON Schema with defaults."""

from __future__ import annotations

from typing import Any, Final

SHARE: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 1}

PASS_FROM: Final[dict[str, Any]] = {
    **SHARE,
    "description": "the least value that passes, from 0 to 1",
}

PLACE: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "a place inside JSON such as answer.items[0].name",
}


def choice(*names: str, default: str) -> dict[str, Any]:
    """One of a few words."""
    return {"enum": list(names), "default": default, "description": f"one of {', '.join(names)}"}


def flag(*, default: bool = False) -> dict[str, Any]:
    """Yes or no."""
    return {"type": "boolean", "default": default, "description": "true or false"}


def texts(what: str, *, most: int = 100, max_chars: int = 300) -> dict[str, Any]:
    """A list of non-empty texts."""
    return {
        "type": "array",
        "maxItems": most,
        "items": {"type": "string", "minLength": 1, "maxLength": max_chars},
        "default": [],
        "description": f"a list of at most {most} {what}",
    }
