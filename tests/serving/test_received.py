from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import ChatChunk, Usage
from serving.answers import Received


def received(*chunks: ChatChunk) -> Received:
    together = Received()
    for chunk in chunks:
        together.add(chunk)
    return together


def calls(*deltas: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(received(*(ChatChunk(tool_calls=[delta]) for delta in deltas)).answer().tool_calls)


def function(arguments: str, name: str = "") -> dict[str, Any]:
    return {"arguments": arguments} | ({"name": name} if name else {})


def test_text_reason_and_usage_are_put_together() -> None:
    answer = received(
        ChatChunk(text="one "),
        ChatChunk(text="two"),
        ChatChunk(finish_reason="length"),
        ChatChunk(usage=Usage(3, 2)),
    ).answer()
    assert (answer.text, answer.finish_reason, answer.usage) == ("one two", "length", Usage(3, 2))


def test_calls_that_interleave_are_told_apart_by_their_index() -> None:
    assert calls(
        {"index": 1, "id": "b", "type": "function", "function": function("", "second")},
        {"index": 0, "id": "a", "type": "function", "function": function("{", "first")},
        {"index": 1, "function": function("[]")},
        {"index": 0, "function": function("}")},
    ) == [
        {"id": "a", "type": "function", "function": {"name": "first", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "second", "arguments": "[]"}},
    ]


def test_names_that_a_server_repeats_and_indexes_that_it_leaves_out_change_nothing() -> None:
    assert calls(
        {"id": "a", "function": function("{", "say")}, {"id": "a", "function": function("}", "say")}
    ) == [{"id": "a", "type": "function", "function": {"name": "say", "arguments": "{}"}}]


def test_what_has_another_shape_is_left_out() -> None:
    assert calls({"index": 0, "id": 7, "function": "say", "hidden": "forbidden"}) == [
        {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    ]
