from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.rendering import PromptSpec, ResponseFormat, SpecError
from registry.rendering.json_values import JsonValueError, check_json, format_path

MESSAGE = {"role": "user", "content": "Hi {{ name }}"}
TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


def document(**parts: Any) -> dict[str, Any]:
    return {"messages": [MESSAGE], **parts}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def test_a_full_document_is_read_and_written_back_unchanged() -> None:
    full = {
        "messages": [{"role": "system", "content": "S"}, {"role": "history", "content": ""}, MESSAGE],
        "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}},
        "output_schema": {"type": "string"},
        "tools": [TOOL],
        "params": {"temperature": 0.2, "max_tokens": 9, "stop": ["\n"], "response_format": "json_schema"},
    }
    spec = PromptSpec.from_dict(full)
    assert spec.to_dict() == full
    assert list(spec.to_dict()) == ["messages", "input_schema", "output_schema", "tools", "params"]
    assert PromptSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert spec.params.response_format is ResponseFormat.JSON_SCHEMA


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "prompt"),
        ({}, "messages"),
        ({"messages": []}, "messages"),
        (document(extra=1), "extra"),
        (document(messages=[MESSAGE] * 65), "messages"),
        (document(messages=["x"]), "messages[0]"),
        (document(messages=[{"role": "robot", "content": "x"}]), "messages[0].role"),
        (document(messages=[{"role": ["user"], "content": "x"}]), "messages[0].role"),
        (document(messages=[MESSAGE, {"role": "user"}]), "messages[1].content"),
        (document(messages=[{**MESSAGE, "name": "x"}]), "messages[0].name"),
        (document(messages=[{"role": "user", "content": "a\x00b"}]), "messages[0].content"),
        (document(messages=[{"role": "user", "content": "\ud800"}]), "messages[0].content"),
        (document(messages=[{"role": "history", "content": "x"}]), "messages[0].content"),
        (document(messages=[{"role": "history"}, {"role": "history"}]), "messages[1].role"),
        (document(messages=[{"role": "user", "content": "x" * 10_000_000}]), "messages[0].content"),
        (document(messages=[{"role": "user", "content": "é" * 70_000}] * 2), "messages[1].content"),
        (document(input_schema=True), "input_schema"),
        (document(input_schema={"title": "\x00"}), "input_schema.title"),
        (document(input_schema={"maximum": float("nan")}), "input_schema.maximum"),
        (document(input_schema={"maximum": 2**53}), "input_schema.maximum"),
        (document(input_schema={"title": "x" * 70_000}), "input_schema"),
        (document(output_schema=[]), "output_schema"),
        (document(tools={}), "tools"),
        (document(tools=[{"type": "web"}]), "tools[0]"),
        (document(tools=[{"type": "function", "function": {"name": "a b"}}]), "tools[0].function.name"),
        (document(tools=[TOOL, TOOL]), "tools[1].function.name"),
        (document(params={"temperature": 3}), "params.temperature"),
        (document(params={"temperature": True}), "params.temperature"),
        (document(params={"max_tokens": 0}), "params.max_tokens"),
        (document(params={"seed": 2**53}), "params.seed"),
        (document(params={"stop": ["a"] * 5}), "params.stop"),
        (document(params={"stop": ["a", ""]}), "params.stop[1]"),
        (document(params={"response_format": "xml"}), "params.response_format"),
        (document(params={"logit_bias": {}}), "params.logit_bias"),
    ],
)
def test_a_malformed_document_is_refused_with_the_field_that_is_wrong(data: object, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        PromptSpec.from_dict(data)
    assert caught.value.field == field
    assert caught.value.message


def test_a_schema_nested_ten_thousand_levels_is_refused_without_recursion() -> None:
    with pytest.raises(SpecError, match="Nested deeper than 40"):
        PromptSpec.from_dict(document(input_schema=nested(10_000)))


def test_the_spec_keeps_its_own_copy_of_a_schema() -> None:
    schema = {"type": "object", "properties": {}}
    spec = PromptSpec.from_dict(document(input_schema=schema))
    schema["type"] = "array"
    spec.to_dict()["input_schema"]["type"] = "array"  # type: ignore[index, call-overload]
    assert spec.input_schema["type"] == "object"


class Loud(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [object(), (1,), {1: 2}, Loud("x"), b"x", float("inf"), 1 << 200, {"a": {1, 2}}]
)
def test_what_json_cannot_express_is_refused(value: object) -> None:
    with pytest.raises(JsonValueError):
        check_json(value)


def test_a_cycle_and_a_flood_of_values_are_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(JsonValueError, match="nested deeper"):
        check_json(cycle)
    with pytest.raises(JsonValueError, match="more than 100,000 values"):
        check_json({f"v{i}": 0 for i in range(100_001)})


@given(json_values)
def test_every_json_value_is_accepted(value: Any) -> None:
    check_json(json.loads(json.dumps(value)))


def test_paths_read_as_people_write_them() -> None:
    assert format_path(("docs", 0, "title")) == "docs[0].title"
    assert format_path(("a b", "c")) == '["a b"].c'
