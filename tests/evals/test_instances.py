from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.instances import minimal_instance
from registry.rendering.schemas import check_schema, validate


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"a": "example"}),
        ({"const": [1]}, [1]),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "number", "exclusiveMaximum": -2}, -3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "string", "minLength": 3, "maxLength": 4}, "exam"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}, None),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "2026-01-31"),
    ],
)
def test_the_least_value_is_accepted(schema: dict[str, Any], expected: Any) -> None:
    assert minimal_instance(schema) == expected
    assert validate(schema, minimal_instance(schema)) == []


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert isinstance(minimal_instance(schema), dict)


leaves = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["boolean", "null", "string", "integer", "number"])}),
    st.integers(0, 50).flatmap(
        lambda low: st.just({"type": "string", "minLength": low, "maxLength": low + 3})
    ),
    st.integers(-50, 50).flatmap(
        lambda low: st.just({"type": "integer", "minimum": low, "maximum": low + 2})
    ),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda props: {
                "type": "object",
                "properties": props,
                "required": sorted(props),
                "additionalProperties": False,
            }
        ),
        inner.map(lambda item: {"type": "array", "items": item, "minItems": 1, "maxItems": 4}),
    ),
    max_leaves=6,
)


@given(schemas)
def test_made_values_fit_their_schema(schema: dict[str, Any]) -> None:
    assert check_schema(schema) == []
    assert validate(schema, minimal_instance(schema)) == []
