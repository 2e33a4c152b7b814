"""The prompt as a value: messages, contracts, tools and parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from registry.rendering import limits
from registry.rendering.errors import SpecError
from registry.rendering.json_values import JsonValue, JsonValueError, check_json, compact_json, text_problem
from registry.rendering.params import PromptParams
from registry.rendering.tools import check_tools

KEYS: Final = ("messages", "input_schema", "output_schema", "tools", "params")


class Role(StrEnum):
    """Who speaks. `history` speaks for nobody: it marks where the caller's conversation goes."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a role and a Jinja2 template. A `history` message has no content of its own."""

    role: Role
    content: str

    def to_dict(self) -> dict[str, JsonValue]:
        """As in `PromptSpec.to_dict`."""
        return {"role": self.role.value, "content": self.content}


@dataclass(frozen=True, slots=True)
class PromptSpec:
    """Everything about a prompt that shapes an answer. Treat it as immutable, the schemas inside too.

    `input_schema` declares the variables, `output_schema` the answer (None: free text); both are JSON Schema
    2020-12. `tools` have the shape of the chat protocol: `{"type": "function", "function": {...}}`.
    Build one from outside data with `from_dict`, which checks; the constructor trusts its caller.
    """

    messages: tuple[Message, ...]
    input_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    output_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    params: PromptParams = field(default_factory=PromptParams)

    @classmethod
    def from_dict(cls, data: object) -> PromptSpec:
        """Read a prompt document. Raises `SpecError(field, message)` for the first thing wrong with its
        shape.

        Only the shape is checked: whether templates parse and schemas are valid is the linter's subject,
        because a draft may be saved in the middle of a thought.
        """
        if type(data) is not dict:
            raise SpecError("prompt", "Use a JSON object.")
        for key in data:
            if key not in KEYS:
                raise SpecError(str(key)[:80], f"Unknown key. Known are: {', '.join(KEYS)}.")
        output_schema = data.get("output_schema")
        return cls(
            messages=_messages(data.get("messages")),
            input_schema=_object(
                data.get("input_schema", {"type": "object", "properties": {}}), "input_schema"
            ),
            output_schema=None if output_schema is None else _object(output_schema, "output_schema"),
            tools=_tools(data.get("tools", [])),
            params=PromptParams.from_dict(_object(data.get("params", {}), "params")),
        )

    def to_dict(self) -> dict[str, JsonValue]:
        """Plain JSON with keys in a fixed order; `from_dict` reads it back to an equal value."""
        return {
            "messages": [message.to_dict() for message in self.messages],
            "input_schema": copy.deepcopy(dict(self.input_schema)),
            "output_schema": None if self.output_schema is None else copy.deepcopy(dict(self.output_schema)),
            "tools": [copy.deepcopy(dict(tool)) for tool in self.tools],
            "params": self.params.to_dict(),
        }

    @property
    def has_history(self) -> bool:
        """Whether a message marks the place of the caller's conversation."""
        return any(message.role is Role.HISTORY for message in self.messages)


def _messages(value: object) -> tuple[Message, ...]:
    if type(value) is not list or not value:
        raise SpecError("messages", "A prompt needs a list of at least one message.")
    if len(value) > limits.MAX_MESSAGES:
        raise SpecError("messages", f"{len(value)} messages; at most {limits.MAX_MESSAGES} are allowed.")
    messages: list[Message] = []
    size = 0
    for index, item in enumerate(value):
        message = _message(item, f"messages[{index}]")
        if message.role is Role.HISTORY and any(other.role is Role.HISTORY for other in messages):
            raise SpecError(f"messages[{index}].role", "Only one message can stand for the caller's history.")
        size += len(message.content.encode())
        if size > limits.MAX_TEMPLATE_BYTES:
            limit = limits.MAX_TEMPLATE_BYTES // 1024
            raise SpecError(
                f"messages[{index}].content", f"The templates are larger than {limit} KB together."
            )
        messages.append(message)
    return tuple(messages)


def _message(value: object, where: str) -> Message:
    if type(value) is not dict:
        raise SpecError(where, "Use an object with role and content.")
    unknown = sorted(str(key) for key in value if key not in {"role", "content"})
    if unknown:
        raise SpecError(f"{where}.{unknown[0][:80]}", "Unknown key. Known are: role, content.")
    role, content = value.get("role"), value.get("content", "" if value.get("role") == Role.HISTORY else None)
    if type(role) is not str or role not in frozenset(Role):
        raise SpecError(f"{where}.role", f"Use one of: {', '.join(Role)}.")
    if type(content) is not str:
        raise SpecError(f"{where}.content", "Use text (a template).")
    if role == Role.HISTORY and content:
        raise SpecError(f"{where}.content", "A history message only marks a place; leave its content empty.")
    if len(content) > limits.MAX_TEMPLATE_BYTES:
        limit = limits.MAX_TEMPLATE_BYTES // 1024
        raise SpecError(f"{where}.content", f"The template is larger than {limit} KB.")
    if problem := text_problem(content):
        raise SpecError(f"{where}.content", f"The template is not usable text: {problem}.")
    return Message(Role(role), content)


def _object(value: object, where: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise SpecError(where, "Use a JSON object.")
    _check(value, where, limits.MAX_SCHEMA_BYTES)
    return copy.deepcopy(value)


def _tools(value: object) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if type(value) is not list:
        raise SpecError("tools", "Use a list of tools.")
    if len(value) > limits.MAX_TOOLS:
        raise SpecError("tools", f"{len(value)} tools; at most {limits.MAX_TOOLS} are allowed.")
    _check(value, "tools", limits.MAX_TOOLS_BYTES)
    check_tools(value)
    return tuple(copy.deepcopy(value))


def _check(value: object, where: str, max_bytes: int) -> None:
    try:
        check_json(
            value, root=where, max_depth=limits.MAX_JSON_DEPTH, max_chars=max_bytes, max_integer_bits=53
        )
    except JsonValueError as error:
        raise SpecError(error.path, f"{error.reason[:1].upper()}{error.reason[1:]}.") from error
    if len(compact_json(value).encode()) > max_bytes:
        raise SpecError(where, f"Larger than {max_bytes // 1024} KB.")
