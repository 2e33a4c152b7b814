"""The smallest value that a JSON Schema is likely to accept. Pure.

It reads `const`, `enum`, `default`, `examples`, `type`, bounds and local `$ref`s, and knows nothing of `pattern` or
`not`; callers validate what they get.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from registry.rendering.json_values import JsonValue
from registry.rendering.schemas import resolve

MAX_DEPTH = 8
MAX_ITEMS = 20
MAX_CHARS = 1_000
_WORDS = "example "
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "person@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def minimal_instance(schema: Mapping[str, Any]) -> JsonValue:
    """A value for `schema`: required members only, shortest lists, lowest numbers."""
    return _instance(schema, schema, MAX_DEPTH)


def _instance(root: Mapping[str, Any], given: Any, depth: int) -> JsonValue:
    schema = resolve(root, given)
    for keyword in ("const", "default"):
        if keyword in schema:
            fixed: JsonValue = schema[keyword]
            return fixed
    for keyword in ("enum", "examples"):
        choices = schema.get(keyword)
        if isinstance(choices, list) and choices:
            first: JsonValue = choices[0]
            return first
    for keyword in ("oneOf", "anyOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list) and choices and depth:
            return _instance(root, choices[0], depth - 1)
    return _by_type(root, schema, depth)


def _by_type(root: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> JsonValue:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0] if kind else "null"
    match kind:
        case "object":
            return _object(root, schema, depth)
        case "array":
            count = min(int(schema.get("minItems", 0)), MAX_ITEMS) if depth else 0
            return [_instance(root, schema.get("items", {}), depth - 1) for _ in range(count)]
        case "string":
            return _text(schema)
        case "integer" | "number":
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return False
        case _:
            return None


def _object(root: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> JsonValue:
    properties = schema.get("properties", {})
    names = schema.get("required", []) if depth else []
    return {name: _instance(root, properties.get(name, {}), depth - 1) for name in names}


def _text(schema: Mapping[str, Any]) -> str:
    known = _FORMATS.get(str(schema.get("format", "")))
    if known:
        return known
    shortest = min(int(schema.get("minLength", 0)), MAX_CHARS)
    longest = int(schema.get("maxLength", MAX_CHARS))
    text = (_WORDS * (shortest // len(_WORDS) + 1)).strip()
    return text.ljust(shortest, "x")[:longest]


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    above = "minimum" not in schema and "exclusiveMinimum" in schema
    step = schema.get("multipleOf", 1)
    start = (0 if high is None or high >= 0 else high - step) if low is None else low + (step if above else 0)
    if "multipleOf" in schema:
        start = ceil(start / step) * step
    return ceil(start) if whole else start
