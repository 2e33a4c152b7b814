"""The quick yes agrees with full validation wherever it is given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptstore.demo import content
from registry.rendering.quick_schema import PreparedSchema, quick_check
from registry.rendering.schemas import check_schema, validate

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 1.5, -2.5, "", "a", "ab", "abc", "ä"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = ["string", "object", "array", "boolean", "null", "number", "integer"]


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of the keywords that are known."""
    leaf = st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
        "enum": st.lists(st.sampled_from(["", "a", "ab"]), min_size=1, max_size=3, unique=True),
        "minLength": st.integers(0, 3), "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 3), "maxItems": st.integers(0, 3),
        "minimum": st.integers(-3, 3), "maximum": st.sampled_from([0, 1, 1.5]),
        "description": st.just("says nothing"), "x-trusted": st.booleans(),
    })  # fmt: skip
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            lambda own, more: own | more,
            leaf,
            st.fixed_dictionaries({}, optional={
                "properties": st.dictionaries(NAMES, inner, max_size=3),
                "required": st.lists(NAMES, max_size=2, unique=True),
                "additionalProperties": st.booleans(),
                "items": inner | st.just(True),
            }),
        ),
        max_leaves=5,
    )  # fmt: skip


@settings(deadline=None)
@given(schema=schemas(), value=VALUES)
def test_it_says_yes_exactly_where_full_validation_finds_nothing(schema: dict[str, Any], value: Any) -> None:
    assert check_schema(schema) == []
    quick = quick_check(schema)
    assert quick is not None
    problems = validate(schema, value)
    assert quick(value) is (problems == [])
    assert PreparedSchema.of(schema).problems(value) == problems


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"properties": {"a": {"pattern": "a+"}}},
        {"items": {"oneOf": [{}]}},
        {"enum": [1, "a"]},
        {"additionalProperties": {"type": "string"}},
        {"items": False},
        {"type": "text"},
        [],
    ],
)
def test_what_it_does_not_know_it_leaves_to_full_validation(schema: Any) -> None:
    assert quick_check(schema) is None


def test_the_demos_schemas_are_known() -> None:
    for name in ("input_schema", "output_schema"):
        assert quick_check(content.PROMPT_BODY[name]) is not None


def test_what_is_no_plain_value_gets_no_quick_yes() -> None:
    prepared = PreparedSchema.of({"type": "object"})
    for value in ({"a": float("nan")}, {"a": "\x00"}, {1: "a"}):
        assert prepared.problems(value) == validate(prepared.schema, value) != []  # type: ignore[arg-type]
