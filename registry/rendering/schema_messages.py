"""Validation errors in the words of the person who passed the value."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from jsonschema.exceptions import ValidationError

from registry.rendering.json_values import JsonValue

_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}

Suffix = tuple[str, ...]


def describe(error: ValidationError) -> Iterator[tuple[Suffix, str]]:
    """`(path below the error's own, message)`: one for each missing or unknown name, else one for the
    error."""
    instance: Any = error.instance
    schema: Any = error.schema
    required: Any = error.validator_value
    if error.validator == "required":
        for name in required:
            if name not in instance:
                yield (name,), f"“{name[:80]}” is missing."
    elif error.validator == "additionalProperties" and hasattr(error, "extras"):
        known = list(schema.get("properties", {}))
        for name in error.extras:
            yield (name,), f"“{name[:80]}” is not a known name.{_hint(name, known)}"
    else:
        yield (), _sentence(error)


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name[:80], known[:500], n=1)
    if close:
        return f" Did you mean “{close[0]}”?"
    return f" Known are: {', '.join(known[:10])}." if known else " The schema declares none."


def _sentence(error: ValidationError) -> str:
    writer = _WRITERS.get(str(error.validator))
    if writer is not None:
        return writer(error.validator_value, error.instance)
    text = error.message[:300]
    return f"{text[:1].upper()}{text[1:]}."


def _short(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _type(expected: Any, instance: Any) -> str:
    names = [expected] if isinstance(expected, str) else list(expected)
    wanted = " or ".join(_TYPES.get(name, str(name)) for name in names)
    return f"Use {wanted}, not {_kind(instance)}."


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true/false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names[type(value)]


_WRITERS: Final[dict[str, Callable[[Any, Any], str]]] = {
    "type": _type,
    "enum": lambda values, _: f"Use one of: {', '.join(_short(value) for value in values[:20])}.",
    "const": lambda value, _: f"Use {_short(value)}.",
    "minLength": lambda n, text: f"The text has {len(text)} characters; at least {n} are needed.",
    "maxLength": lambda n, text: f"The text has {len(text)} characters; at most {n} are allowed.",
    "minimum": lambda n, value: f"{value} is too small; the least is {n}.",
    "maximum": lambda n, value: f"{value} is too large; the most is {n}.",
    "exclusiveMinimum": lambda n, value: f"{value} is too small; use more than {n}.",
    "exclusiveMaximum": lambda n, value: f"{value} is too large; use less than {n}.",
    "multipleOf": lambda n, value: f"{value} is not a multiple of {n}.",
    "minItems": lambda n, items: f"The list has {len(items)} items; at least {n} are needed.",
    "maxItems": lambda n, items: f"The list has {len(items)} items; at most {n} are allowed.",
    "minProperties": lambda n, value: f"The object has {len(value)} keys; at least {n} are needed.",
    "maxProperties": lambda n, value: f"The object has {len(value)} keys; at most {n} are allowed.",
    "uniqueItems": lambda _n, _items: "The list has items that are equal; each may be there once.",
    "pattern": lambda pattern, _: f"The text does not match the pattern {pattern[:80]}.",
    "anyOf": lambda _schemas, _: "The value fits none of the allowed forms.",
    "oneOf": lambda _schemas, _: "The value must fit exactly one of the allowed forms.",
    "not": lambda _schema, _: "The value has a form that is not allowed.",
}
