"""A quick yes for plain schemas: whether a value certainly fits, at a fraction of what full validation costs.

Only the yes counts. For a value that does not fit, and for a schema with any keyword that is not known here,
`registry.rendering.schemas.validate` decides and finds the words. What costs time without bound (references,
patterns) is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from registry.rendering.json_values import JsonValue, JsonValueError, check_json
from registry.rendering.schemas import Problem, validate

Check = Callable[[Any], bool]

_SILENT: Final = frozenset(
    {"$comment", "$schema", "default", "deprecated", "description", "examples", "format", "readOnly", "title", "writeOnly"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreparedSchema:
    """A schema that many values are checked against; it must not change meanwhile."""

    schema: Mapping[str, Any]
    quick: Check | None

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Self:
        return cls(schema, quick_check(schema))

    def problems(self, value: JsonValue) -> list[Problem]:
        """As `schemas.validate`."""
        if self.quick is not None:
            try:
                check_json(value)
            except JsonValueError:
                return validate(self.schema, value)
            if self.quick(value):
                return []
        return validate(self.schema, value)


class _UnknownError(Exception):
    """The schema says something that is not known here."""


def quick_check(schema: object) -> Check | None:
    """A function that says True only of values that `schema` accepts; None if it could never say so reliably.

    Meant for values of plain JSON within the limits of `json_values.check_json`.
    """
    try:
        return _check(schema)
    except _UnknownError:
        return None


def _check(schema: object) -> Check:
    if schema is True:
        return lambda _: True
    if not isinstance(schema, Mapping):
        raise _UnknownError
    checks: list[Check] = []
    for keyword, value in schema.items():
        if keyword in _SILENT or keyword.startswith("x-"):
            continue
        make = _KEYWORDS.get(keyword)
        if make is None:
            raise _UnknownError
        checks.append(make(value, schema))
    return checks[0] if len(checks) == 1 else _all(checks)


def _all(checks: Sequence[Check]) -> Check:
    def check(value: Any) -> bool:
        for one in checks:  # noqa: SIM110 - all() with a generator takes twice as long, and this is here for its speed
            if not one(value):
                return False
        return True

    return check


def _type(names: Any, _: Mapping[str, Any]) -> Check:
    wanted = [names] if isinstance(names, str) else names
    if not isinstance(wanted, list) or not all(isinstance(name, str) and name in _TYPES for name in wanted):
        raise _UnknownError
    if len(wanted) == 1:
        return _TYPES[wanted[0]]
    checks = [_TYPES[name] for name in wanted]
    return lambda value: any(check(value) for check in checks)


# JSON Schema 2020-12, validation 6.1.1: an integer is any number without a fraction. Python's booleans are none.
_TYPES: Final[dict[str, Check]] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


def _enum(values: Any, _: Mapping[str, Any]) -> Check:
    """Texts only: what equals what is another matter for numbers, and a matter of depth for the rest."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _UnknownError
    allowed = frozenset(values)
    return lambda value: isinstance(value, str) and value in allowed


def _properties(subschemas: Any, _: Mapping[str, Any]) -> Check:
    if not isinstance(subschemas, Mapping):
        raise _UnknownError
    checks = [(name, _check(subschema)) for name, subschema in subschemas.items()]

    def check(value: Any) -> bool:
        if isinstance(value, dict):
            for name, fits in checks:
                if name in value and not fits(value[name]):
                    return False
        return True

    return check


def _required(names: Any, _: Mapping[str, Any]) -> Check:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _UnknownError
    wanted = frozenset(names)
    return lambda value: not isinstance(value, dict) or wanted <= value.keys()


def _additional(rule: Any, schema: Mapping[str, Any]) -> Check:
    if rule is True:
        return lambda _: True
    properties = schema.get("properties", {})
    if rule is not False or not isinstance(properties, Mapping):
        raise _UnknownError
    known = frozenset(properties)
    return lambda value: not isinstance(value, dict) or value.keys() <= known


def _items(subschema: Any, _: Mapping[str, Any]) -> Check:
    fits = _check(subschema)
    return lambda value: not isinstance(value, list) or all(fits(item) for item in value)


def _length(kind: type[list[Any] | str], *, most: bool) -> Callable[[Any, Mapping[str, Any]], Check]:
    def make(bound: Any, _: Mapping[str, Any]) -> Check:
        if not isinstance(bound, int) or isinstance(bound, bool):
            raise _UnknownError
        if most:
            return lambda value: not isinstance(value, kind) or len(value) <= bound
        return lambda value: not isinstance(value, kind) or len(value) >= bound

    return make


def _bound(*, most: bool) -> Callable[[Any, Mapping[str, Any]], Check]:
    is_number = _TYPES["number"]

    def make(bound: Any, _: Mapping[str, Any]) -> Check:
        if not is_number(bound):
            raise _UnknownError
        if most:
            return lambda value: not is_number(value) or value <= bound
        return lambda value: not is_number(value) or value >= bound

    return make


_KEYWORDS: Final[dict[str, Callable[[Any, Mapping[str, Any]], Check]]] = {
    "type": _type,
    "enum": _enum,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "minItems": _length(list, most=False),
    "maxItems": _length(list, most=True),
    "minLength": _length(str, most=False),
    "maxLength": _length(str, most=True),
    "minimum": _bound(most=False),
    "maximum": _bound(most=True),
}
