"""JSON documents checked against a schema of ours, with errors that name the field and say what belongs there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from promptstore.core.errors import InvalidInput
from registry.numbers import check_numbers
from registry.rendering.json_values import JsonValueError, check_json, format_path

MAX_CHARS: Final = 200_000
MAX_SHOWN: Final = 20

DIGEST: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": "^sha256:[0-9a-f]{64}$",
    "description": "sha256: and 64 lower-case hex digits",
}


def text(what: str, *, max_chars: int = 200) -> dict[str, Any]:
    """Schema of a non-empty text; `what` says to people what belongs there."""
    return {"type": "string", "minLength": 1, "maxLength": max_chars, "description": what}


def whole(what: str, *, low: int, high: int) -> dict[str, Any]:
    """Schema of a whole number within bounds."""
    return {"type": "integer", "minimum": low, "maximum": high, "description": what}


def document(properties: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Schema of an object with exactly these members."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def check_shape(value: object, schema: Mapping[str, Any], *, field: str) -> None:
    """Raise `InvalidInput` unless `value` fits; `errors` lists up to twenty faults, each with its field."""
    try:
        check_json(value, root=field, max_chars=MAX_CHARS, max_integer_bits=53)
    except JsonValueError as error:
        raise InvalidInput(f"{error.path}: {error.reason}.", field=error.path) from error
    check_numbers(value, (field,))
    found = sorted(Draft202012Validator(schema).iter_errors(value), key=relevance, reverse=True)
    faults = [_fault(error, field) for error in found[:MAX_SHOWN]]
    if faults:
        raise InvalidInput(
            f"{faults[0]['field']}: {faults[0]['detail']}", field=faults[0]["field"], errors=faults
        )


def _fault(error: ValidationError, root: str) -> dict[str, Any]:
    path: list[str | int] = [root, *error.absolute_path] if root else list(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    what = schema.get("description", "")
    rule = str(error.validator)
    detail = f"Use {what}." if what else _sentence(error.message)
    if rule == "required":
        missing = re.match(r"'(.+)' is a required property", error.message)
        path = [*path, missing[1]] if missing else path
        detail = "This is missing."
    elif rule == "additionalProperties" and isinstance(error.instance, Mapping):
        known = list(schema.get("properties", {}))
        unknown = sorted(str(key) for key in error.instance if key not in known)
        path = [*path, unknown[0][:80]] if unknown else path
        detail = f"Unknown key. Known are: {', '.join(known)}."
    return {"field": format_path(path), "detail": detail, "code": rule}


def _sentence(message: str) -> str:
    message = message[:300]
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."
