from __future__ import annotations

import time
from typing import Any

import pytest

from registry.rendering import (
    Problem,
    analyse_template,
    check_schema,
    declared_variables,
    infer_schema,
    validate,
)
from registry.rendering.patterns import PatternError, compile_pattern

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}
LAUGHS: dict[str, Any] = {
    "$defs": {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(30)} | {"a30": {}},
    "$ref": "#/$defs/a0",
}


def paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ([], ""),
        ({"type": "strnig"}, "type"),
        ({"properties": {"a": {"minimum": "x"}}}, "properties.a.minimum"),
        ({"properties": {"a": {"$ref": "https://example.org/s"}}}, 'properties.a["$ref"]'),
        ({"$ref": "other.json"}, '["$ref"]'),
        ({"$ref": "#/$defs/no"}, '["$ref"]'),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, '["$schema"]'),
        ({"properties": {"a": {"$id": "x"}}}, 'properties.a["$id"]'),
        ({"pattern": "(("}, "pattern"),
        ({"pattern": "a" * 600}, "pattern"),
        ({"patternProperties": {"[": {}}}, 'patternProperties["["]'),
        ({"title": "x" * 70_000}, ""),
    ],
)
def test_a_schema_that_cannot_be_used_is_reported_at_its_place(schema: object, path: str) -> None:
    assert path in paths(check_schema(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        PERSON,
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "https://example.org"}]},
        {"pattern": "^[\\p{L}]{1,20}(?:-\\d{3})?$", "x-trusted": True},
        LAUGHS,
    ],
)
def test_a_good_schema_has_no_problems(schema: dict[str, Any]) -> None:
    assert check_schema(schema) == []


def test_problems_name_the_missing_and_the_unknown_with_a_hint() -> None:
    problems = {problem.path: problem.message for problem in validate(PERSON, {"nmae": "x"})}
    assert "missing" in problems["name"]
    assert "Did you mean “name”?" in problems["nmae"]


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({"name": 3}, "name", "Use text, not a number"),
        ({"name": "abcdefg"}, "name", "at most 5"),
        ({"name": "a", "age": -1}, "age", "the least is 0"),
        ([], "", "Use an object, not a list"),
        ({"name": "\x00"}, "name", "NUL"),
    ],
)
def test_a_wrong_value_is_explained(value: Any, path: str, words: str) -> None:
    (problem,) = validate(PERSON, value)
    assert problem.path == path
    assert words in problem.message


def test_a_right_value_has_no_problems() -> None:
    assert validate(PERSON, {"name": "Ada", "age": 36}) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (LAUGHS, 1),
        ({"$ref": "#"}, 1),
        ({"items": {"pattern": "^(a|a)*$"}}, ["a" * 40 + "!"] * 1_000),
        ({"pattern": "(x+x+)+y"}, "x" * 90_000),
        ({"anyOf": [{"type": "string"}] * 1_000}, ["x" * 900_000]),
        ({"pattern": "((((a{1000}){1000}){1000}){1000})"}, "a"),
        ({"additionalProperties": False}, {f"k{i}": 0 for i in range(90_000)}),
        ({"uniqueItems": True}, [{"a": i} for i in range(9_000)] + [{"a": 0}]),
    ],
)
def test_hostile_schemas_and_values_end_quickly_with_a_problem(schema: dict[str, Any], value: Any) -> None:
    started = time.process_time()
    problems = validate(schema, value)
    assert time.process_time() - started < 2
    assert 0 < len(problems) <= 50


@pytest.mark.parametrize(
    "pattern", ["(a{1000}){1000}", "(?R)", "(?i)a", "a{e<=3}", "(" * 30 + ")" * 30, "(?P>x)"]
)
def test_a_pattern_outside_the_shared_syntax_is_refused_before_it_is_compiled(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_unique_items_follow_json_equality() -> None:
    assert validate({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}]) == []
    assert validate({"uniqueItems": True}, [1, 1.0]) != []
    assert validate({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}]) != []


def test_declared_variables_follow_local_references_and_know_trust() -> None:
    schema = {
        "type": "object",
        "$defs": {"t": {"type": "string", "x-trusted": True}},
        "properties": {"a": {"$ref": "#/$defs/t"}, "b": {"$ref": "#"}, "c": True},
        "required": ["a"],
    }
    found = declared_variables(schema)
    assert [(v.name, v.required, v.trusted) for v in found.values()] == [
        ("a", True, True),
        ("b", False, False),
        ("c", False, False),
    ]
    assert declared_variables({"properties": 3, "required": 1}) == {}


def test_a_schema_inferred_from_templates_accepts_what_they_need() -> None:
    source = "{% for d in docs %}{{ d.title }}{% endfor %}{{ user.name }}{{ q }}{{ tone|default('calm') }}{{ tags[0] }}"
    schema = infer_schema(analyse_template(source))
    assert check_schema(schema) == []
    assert schema["required"] == ["docs", "user", "q", "tags"]
    values: dict[str, Any] = {"docs": [{"title": "t"}], "user": {"name": "n"}, "q": "x", "tags": ["a"]}
    assert validate(schema, values) == []
    assert paths(validate(schema, {**values, "docs": "x"})) == ["docs"]
