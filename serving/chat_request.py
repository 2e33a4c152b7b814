"""The body of a chat completion: OpenAI's fields that a caller may set, and our extensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptstore.core.errors import InvalidInput
from serving.routing import check_unit

MAX_MESSAGES = 500
MAX_SESSION_CHARS = 120
_ROLES = frozenset({"user", "assistant", "tool"})
_OURS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "user", "unit",
        "prompt_variables", "pin", "session", "metadata", "store",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChatCall:
    """What the caller asked for. `ignored` names fields that the release decides instead of the caller."""

    feature: str
    history: Sequence[Mapping[str, Any]]
    variables: Any
    unit: str | None
    pin: str | None
    session: str | None
    stream: bool
    include_usage: bool
    max_tokens: int | None
    ignored: Sequence[str]


def parse_chat(body: Mapping[str, Any], *, pin_header: str | None) -> ChatCall:
    """Raises `InvalidInput` naming the field.

    Temperature, tools and the like belong to the release and are ignored.
    """
    feature = body.get("model")
    if not isinstance(feature, str) or not feature:
        raise InvalidInput("Name the feature in `model`.", field="model")
    if body.get("n") not in {None, 1}:
        raise InvalidInput("One answer per call; leave n out.", field="n")
    stream = _flag(body, "stream")
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise InvalidInput("Use an object.", field="stream_options")
    return ChatCall(
        feature=feature,
        history=_history(body.get("messages")),
        variables=body.get("prompt_variables"),
        unit=check_unit(body["unit"] if body.get("unit") else body.get("user")),
        pin=_text(body, "pin", 600) or pin_header,
        session=_text(body, "session", MAX_SESSION_CHARS),
        stream=stream,
        include_usage=_flag(options, "include_usage"),
        max_tokens=_max_tokens(body),
        ignored=sorted(body.keys() - _OURS),
    )


def _history(messages: Any) -> list[dict[str, Any]]:
    if messages is None:
        return []
    if not isinstance(messages, list) or len(messages) > MAX_MESSAGES:
        raise InvalidInput(f"Use a list of at most {MAX_MESSAGES} messages.", field="messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise InvalidInput("Use an object with role and content.", field=f"messages[{index}]")
        if message.get("role") not in _ROLES:
            raise InvalidInput(
                "Use user, assistant or tool; system messages come from the released prompt.",
                field=f"messages[{index}].role",
            )
        if not isinstance(message.get("content"), str | list | None):
            raise InvalidInput("Use text or a list of parts.", field=f"messages[{index}].content")
    return messages


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput("Use true or false.", field=name)
    return bool(value)


def _text(body: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidInput(f"Use text of at most {longest} characters.", field=name)
    return value


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidInput("Use a whole number from 1.", field=name)
        return value
    return None
