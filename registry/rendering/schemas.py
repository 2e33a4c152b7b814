"""JSON Schema 2020-12 for variables and answers: checking schemas, validating values, reading declarations.

Schemas and values come from outside, so the work is bounded: size and depth are limited, every keyword
evaluated costs a step, and patterns are weighed and timed
(`registry.rendering.schema_engine`). Nothing is ever fetched: a `$ref` may only point into its own schema,
and the registry of resources is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing.exceptions import Unresolvable

from registry.rendering import limits
from registry.rendering.json_values import JsonValue, JsonValueError, check_json, compact_json, format_path
from registry.rendering.patterns import PatternError, compile_pattern
from registry.rendering.schema_engine import SchemaTooCostlyError, bounded_validator
from registry.rendering.schema_messages import describe

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_DATA_KEYWORDS: Final = frozenset({"const", "default", "enum", "examples"})
_NAMED_SUBSCHEMAS: Final = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `path` names the place (`properties.age`, `docs[0].title`; empty for the whole)."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class DeclaredVariable:
    """A variable as the input schema declares it."""

    name: str
    required: bool
    schema: Mapping[str, Any]

    @property
    def trusted(self) -> bool:
        """Whether the schema vouches for the value with `"x-trusted": true`."""
        return self.schema.get("x-trusted") is True


def check_schema(schema: object) -> list[Problem]:
    """What is wrong with a schema; an empty list if it can be used. Never raises."""
    if not isinstance(schema, dict):
        return [Problem("", "A schema is a JSON object.")]
    try:
        check_json(schema, max_depth=limits.MAX_JSON_DEPTH, max_chars=limits.MAX_SCHEMA_BYTES)
    except JsonValueError as error:
        return [Problem(error.path, f"{error.reason[:1].upper()}{error.reason[1:]}.")]
    if len(compact_json(schema).encode()) > limits.MAX_SCHEMA_BYTES:
        return [Problem("", f"The schema is larger than {limits.MAX_SCHEMA_BYTES // 1024} KB.")]
    problems: dict[Problem, None] = {}
    meta = bounded_validator(Draft202012Validator.META_SCHEMA, trusted=True)
    for problem in _run(meta, schema):
        problems[problem] = None
    if not problems:
        for problem in _check_subschemas(schema):
            problems[problem] = None
    return list(problems)[: limits.MAX_PROBLEMS]


def validate(schema: Mapping[str, Any], instance: JsonValue) -> list[Problem]:
    """What is wrong with a value, in words for the person who passed it; at most `limits.MAX_PROBLEMS`.

    `schema` is one that `check_schema` accepts. A value that is too large, or a schema that takes too long
    on it, is a problem too, so this never raises for bad input.
    """
    try:
        check_json(instance)
    except JsonValueError as error:
        return [Problem(error.path, f"{error.reason[:1].upper()}{error.reason[1:]}.")]
    problems: dict[Problem, None] = {}
    for problem in _run(bounded_validator(schema), instance):
        problems[problem] = None
        if len(problems) >= limits.MAX_PROBLEMS:
            break
    return list(problems)


def _run(validator: Any, instance: Any) -> Iterator[Problem]:
    try:
        for error in validator.iter_errors(instance):
            yield from _problems(error)
    except SchemaTooCostlyError as error:
        yield Problem("", str(error))
    except RecursionError:
        yield Problem("", "The schema refers to itself without end.")
    except Unresolvable:
        yield Problem("", "The schema refers to a part that it does not contain.")


def _problems(error: ValidationError) -> Iterator[Problem]:
    base = tuple(error.absolute_path)
    for suffix, message in describe(error):
        yield Problem(format_path((*base, *suffix)), message)


def _check_subschemas(root: dict[str, Any]) -> Iterator[Problem]:
    """What the meta-schema cannot say: references stay inside, patterns compile, one dialect."""
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(root, ())]
    while pending:
        schema, path = pending.pop()
        if isinstance(schema, list):
            pending.extend((item, (*path, index)) for index, item in enumerate(schema))
        if not isinstance(schema, dict):
            continue
        yield from _check_keywords(root, schema, path)
        for key, value in schema.items():
            if key in _NAMED_SUBSCHEMAS and isinstance(value, dict):
                pending.extend((sub, (*path, key, name)) for name, sub in value.items())
            elif key not in _DATA_KEYWORDS:
                pending.append((value, (*path, key)))


def _check_keywords(
    root: dict[str, Any], schema: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[Problem]:
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.rstrip("#") != DIALECT:
        yield Problem(format_path((*path, "$schema")), f"Use JSON Schema 2020-12 ({DIALECT}).")
    if path and "$id" in schema:
        yield Problem(format_path((*path, "$id")), "Only the whole schema may have an $id.")
    for key in ("$ref", "$dynamicRef"):
        reference = schema.get(key)
        if isinstance(reference, str):
            message = _reference_problem(root, reference)
            if message:
                yield Problem(format_path((*path, key)), message)
    patterns: list[tuple[tuple[str, ...], object]] = [(("pattern",), schema.get("pattern"))]
    patterns.extend((("patternProperties", name), name) for name in schema.get("patternProperties", ()))
    for place, pattern in patterns:
        if isinstance(pattern, str):
            try:
                compile_pattern(pattern)
            except PatternError as error:
                yield Problem(format_path((*path, *place)), str(error))


def _reference_problem(root: dict[str, Any], reference: str) -> str | None:
    if not reference.startswith("#"):
        return "Other documents are never fetched; put the schema under $defs and refer to #/$defs/…."
    if reference != "#" and not reference.startswith("#/"):
        return None  # an anchor; a missing one is reported when it is used
    if _follow(root, reference) is None:
        return f"There is no {reference[:80]} in this schema."
    return None


def _follow(root: Any, reference: str) -> Any:
    """The subschema a local JSON pointer leads to, or None."""
    current = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(current, dict):
            current = current.get(name)
        elif isinstance(current, list) and name.isdigit() and len(name) < 6 and int(name) < len(current):
            current = current[int(name)]
        else:
            return None
    return current


def resolve(root: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    """Follow local `$ref`s (a few steps) to a schema with content; `{}` where nothing is said."""
    for _step in range(8):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        target = _follow(root, reference)
        schema = {**target, **siblings} if isinstance(target, dict) else siblings
    return {}


def declared_variables(schema: Mapping[str, Any]) -> dict[str, DeclaredVariable]:
    """The top-level properties of an input schema by name, in their order; tolerant of schemas that are not
    valid."""
    root = resolve(schema, schema)
    properties = root.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    names = root.get("required")
    required = {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    return {
        name: DeclaredVariable(name=name, required=name in required, schema=resolve(schema, sub))
        for name, sub in properties.items()
    }
