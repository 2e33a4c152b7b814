"""The prompt editor's state: what is in its boxes, saved or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict

from registry.forms.json_text import json_problem, pretty
from registry.models import PromptDraft

JSON_PARTS: Final = ("input_schema", "output_schema", "tools", "params")
_EMPTY: Final[dict[str, Any]] = {
    "input_schema": {"type": "object", "properties": {}},
    "output_schema": None,
    "tools": [],
    "params": {},
}


@dataclass(frozen=True)
class MessageRow:
    """One message as typed."""

    role: str
    content: str


@dataclass(frozen=True)
class ExampleRow:
    """One example input; `variables` is JSON text."""

    name: str
    variables: str


@dataclass(frozen=True)
class EditorState:
    """Everything a person can change in the editor, and the revision they started from."""

    revision: int
    messages: tuple[MessageRow, ...]
    parts: dict[str, str]
    examples: tuple[ExampleRow, ...]
    shown: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_draft(cls, draft: PromptDraft) -> EditorState:
        """As it is stored."""
        body = draft.body
        return cls(
            revision=draft.revision,
            messages=tuple(MessageRow(item["role"], item["content"]) for item in body["messages"]),
            parts={
                name: "" if body.get(name) in (None, [], {}) else pretty(body[name]) for name in JSON_PARTS
            },
            examples=tuple(
                ExampleRow(item["name"], pretty(item["variables"])) for item in draft.example_inputs
            ),
        )

    @classmethod
    def of_post(cls, data: QueryDict) -> EditorState:
        """As it was sent. Line breaks become `\\n`, as positions in findings count them."""
        roles, contents = data.getlist("role"), data.getlist("content")
        names, variables = data.getlist("example_name"), data.getlist("example_variables")
        return cls(
            revision=_number(data.get("revision")),
            messages=tuple(
                MessageRow(role, _unix(text)) for role, text in zip(roles, contents, strict=False)
            ),
            parts={name: _unix(data.get(name, "")) for name in JSON_PARTS},
            examples=tuple(
                ExampleRow(name, _unix(text)) for name, text in zip(names, variables, strict=False)
            ),
            shown=_number(data.get("shown")),
        )

    def read(self) -> tuple[EditorState, dict[str, Any], list[dict[str, Any]]]:
        """The state with its `errors`, the prompt document and the example inputs; both hold only without errors."""
        errors: dict[str, str] = {}
        body: dict[str, Any] = {
            "messages": [{"role": row.role, "content": row.content} for row in self.messages]
        }
        for name in JSON_PARTS:
            value, problem = (
                json_problem(self.parts[name]) if self.parts[name].strip() else (_EMPTY[name], "")
            )
            if problem:
                errors[name] = problem
            body[name] = value
        examples: list[dict[str, Any]] = []
        for index, row in enumerate(self.examples):
            value, problem = json_problem(row.variables.strip() or "{}")
            if problem:
                errors[f"example_inputs[{index}].variables"] = problem
            examples.append({"name": row.name.strip() or f"Example {index + 1}", "variables": value})
        return replace(self, errors=errors), body, examples

    def after(self, action: str) -> EditorState:
        """What a button of the form without JavaScript makes of it, such as `add_message` or `remove_message:2`."""
        verb, _, at = action.partition(":")
        index = _number(at)
        if verb == "add_message":
            return replace(self, messages=(*self.messages, MessageRow("user", "")))
        if verb == "remove_message" and len(self.messages) > 1:
            return replace(self, messages=_without(self.messages, index))
        if verb in {"move_up", "move_down"}:
            other = index - 1 if verb == "move_up" else index + 1
            return replace(self, messages=_swapped(self.messages, index, other))
        if verb == "add_example":
            row = ExampleRow(f"Example {len(self.examples) + 1}", "{}")
            return replace(self, examples=(*self.examples, row), shown=len(self.examples))
        if verb == "remove_example":
            return replace(self, examples=_without(self.examples, index), shown=0)
        return self


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without(rows: Sequence[Any], index: int) -> tuple[Any, ...]:
    return tuple(row for at, row in enumerate(rows) if at != index)


def _swapped(rows: Sequence[Any], one: int, other: int) -> tuple[Any, ...]:
    if not (0 <= one < len(rows) and 0 <= other < len(rows)):
        return tuple(rows)
    changed = list(rows)
    changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)
