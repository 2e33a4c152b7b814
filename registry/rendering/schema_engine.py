"""A JSON Schema validator whose work is bounded.

jsonschema evaluates keywords recursively and without limit: references can double the work at every level
(`{"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/b"}]}`), and a `pattern` such as `(a+)+$` takes
exponential time in Python's own engine. Here every keyword costs a step, `pattern` and `patternProperties`
share a time allowance per validation (`registry.rendering.patterns`), and
`uniqueItems` compares canonical text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry

from registry.rendering import limits
from registry.rendering.json_values import compact_json
from registry.rendering.patterns import PatternError, PatternTimeoutError, matches

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class SchemaTooCostlyError(Exception):
    """Validation was stopped; the text says why, for the author of the schema."""


@dataclass(slots=True)
class _Allowance:
    steps: int = limits.MAX_SCHEMA_STEPS
    pattern_seconds: float = limits.MAX_PATTERN_SECONDS
    message_chars: int = 20 * limits.MAX_VALUE_CHARS


_allowance: ContextVar[_Allowance] = ContextVar("schema_allowance")


def _matches(pattern: str, text: str) -> bool:
    allowance = _allowance.get()
    try:
        found, seconds = matches(pattern, text, allowance.pattern_seconds)
    except PatternTimeoutError:
        message = (
            f"The pattern {pattern[:80]!r} takes too long on this value; write it without nested repeats."
        )
        raise SchemaTooCostlyError(message) from None
    except PatternError as error:
        raise SchemaTooCostlyError(str(error)) from None
    allowance.pattern_seconds -= seconds
    return found


def _pattern(validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, subschema in patterns.items():
            for key, value in instance.items():
                if _matches(pattern, key):
                    yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def extra_properties(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Keys of `instance` that `properties` and `patternProperties` do not mention, in their order."""
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    return [key for key in instance if key not in known and not any(_matches(p, key) for p in patterns)]


def _additional_properties(
    validator: Any, rule: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    extras = extra_properties(instance, schema)
    if isinstance(rule, dict):
        for key in extras:
            yield from validator.descend(instance[key], rule, path=key)
    elif rule is False and extras:
        error = ValidationError("unknown properties")
        error.extras = extras[: limits.MAX_PROBLEMS]  # type: ignore[attr-defined]
        yield error


def _unique_items(validator: Any, unique: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if unique and validator.is_type(instance, "array"):
        # 1 and 1.0 are one value in JSON Schema, true and 1 are two; canonical text keeps booleans apart.
        texts = {compact_json(_integral(item)) for item in instance}
        if len(texts) < len(instance):
            yield ValidationError("has items that are equal")


def _integral(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_integral(item) for item in value]
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return value


_COSTS: Final = {"$ref": 5, "$dynamicRef": 5}  # resolving a reference takes as long as several other keywords


def _charged(name: str, keyword: Keyword) -> Keyword:
    base = _COSTS.get(name, 1)

    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        allowance = _allowance.get()
        cost = base + (len(instance) if isinstance(instance, list | dict) else 0) // 8
        allowance.steps -= cost
        if allowance.steps < 0:
            message = "Checking this value takes too many steps; use fewer references and alternatives."
            raise SchemaTooCostlyError(message)
        for error in keyword(validator, value, instance, schema) or ():
            # jsonschema writes whole values into its messages; alternatives would collect many copies.
            allowance.message_chars -= len(error.message)
            if allowance.message_chars < 0:
                raise SchemaTooCostlyError(
                    "The value is too large to be checked against so many alternatives."
                )
            yield error

    return run


_REPLACED: Final[dict[str, Keyword]] = {
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "uniqueItems": _unique_items,
}

_BoundedValidator: Final[Any] = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        name: _charged(name, keyword)
        for name, keyword in {**Draft202012Validator.VALIDATORS, **_REPLACED}.items()
    },
)


def bounded_validator(schema: Any, *, trusted: bool = False) -> Any:
    """A jsonschema validator for one use in the current thread, with a fresh allowance.

    `trusted` is for the meta-schema, which refers to its own parts by address; for all others the registry
    is empty, so that no reference can lead outside.
    """
    _allowance.set(_Allowance(steps=limits.MAX_METASCHEMA_STEPS if trusted else limits.MAX_SCHEMA_STEPS))
    if trusted:
        return _BoundedValidator(schema)
    return _BoundedValidator(schema, registry=Registry())
