"""Answers in OpenAI's shapes, and what may be shown of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from providers import ChatChunk, ChatResult, Usage
from registry.shown import everything_shown
from serving.documents import Prompt, Release
from serving.render import safe_answer

_PIECE_CHARS = 64
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user sees: text, or tool calls, and why it ended."""

    text: str
    finish_reason: str
    usage: Usage | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy filter and the output schema say of the model's own words."""

    policy_reasons: list[str] = field(default_factory=list)
    output_valid: bool | None = None

    @property
    def blocked(self) -> bool:
        return bool(self.policy_reasons)


def judge(release: Release, text: str, tool_calls: Sequence[Mapping[str, Any]] = ()) -> Judgement:
    """Check everything that would be shown.

    Raises `PolicyError` when the policy cannot be evaluated: then nothing is.
    """
    visible = everything_shown(text, list(tool_calls))
    return Judgement(release.config.policy.check(visible), is_valid_output(release.prompt, text))


def withheld(release: Release, variables: Mapping[str, Any]) -> str:
    """What is shown instead of a flagged answer: the policy's message, else the safe answer, else a fixed sentence."""
    policy, config = release.config.policy, release.config
    if not policy.message and (config.body.get("safe_mode") or {}).get("template"):
        return safe_answer(release, variables)
    return policy.replacement


def is_valid_output(prompt: Prompt, text: str) -> bool | None:
    """Whether the text is JSON that the prompt's output schema accepts.

    None when the prompt has no schema.
    """
    if prompt.output_check is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return not prompt.output_check.problems(value)


def shown(result: ChatResult) -> Answer:
    """Of a provider's message only known members are passed on; anything else would go around the filter."""
    calls = result.message.get("tool_calls")
    tool_calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return Answer(result.text, result.finish_reason, result.usage, tool_calls)


class Received:
    """A streamed answer, put together as its pieces come. Of tool calls only known members are kept, as of messages."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._text: list[str] = []
        self._finish_reason = ""
        self._calls: dict[int, _ToolCall] = {}

    def add(self, chunk: ChatChunk) -> None:
        """Take the next piece in."""
        self.usage = chunk.usage or self.usage
        self._finish_reason = chunk.finish_reason or self._finish_reason
        if chunk.text:
            self._text.append(chunk.text)
        for delta in chunk.tool_calls:
            index = delta.get("index")
            # A server with one call at a time may leave the index out.
            position = index if isinstance(index, int) else max(self._calls, default=0)
            self._calls.setdefault(position, _ToolCall()).add(delta)

    @property
    def text(self) -> str:
        return "".join(self._text)

    def answer(self) -> Answer:
        """The answer as it stands, in the shape of one that was not streamed. It says `stop` where the model gave no reason."""
        calls = [self._calls[position].whole() for position in sorted(self._calls)]
        return Answer(self.text, self._finish_reason or "stop", self.usage, calls)


class _ToolCall:
    """Names and ids come at once, and some servers repeat them; arguments come in pieces."""

    def __init__(self) -> None:
        self._id = self._type = self._name = ""
        self._arguments: list[str] = []

    def add(self, delta: Mapping[str, Any]) -> None:
        function = delta.get("function")
        function = function if isinstance(function, dict) else {}
        self._id = _string(delta, "id") or self._id
        self._type = _string(delta, "type") or self._type
        self._name = _string(function, "name") or self._name
        self._arguments.append(_string(function, "arguments"))

    def whole(self) -> dict[str, Any]:
        function = {"name": self._name, "arguments": "".join(self._arguments)}
        return {"id": self._id, "type": self._type or "function", "function": function}


def _string(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def completion(answer: Answer, *, inference_id: str, feature: str) -> bytes:
    """A `chat.completion` object."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.tool_calls:
        message |= {"content": answer.text or None, "tool_calls": answer.tool_calls}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}
    body = _envelope("chat.completion", inference_id, feature) | {"choices": [choice]}
    if answer.usage is not None:
        body["usage"] = _usage(answer.usage)
    return orjson.dumps(body)


class ChunkWriter:
    """`chat.completion.chunk` events of one answer."""

    def __init__(self, *, inference_id: str, feature: str) -> None:
        self._envelope = _envelope("chat.completion.chunk", inference_id, feature)

    def delta(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return b"data: " + orjson.dumps(self._envelope | {"choices": [choice]}) + b"\n\n"

    def tool_calls(self, calls: Sequence[Mapping[str, Any]]) -> bytes:
        """Complete tool calls."""
        return self.delta({"tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]})

    def replacement(self, text: str, *, after_text: bool) -> bytes:
        """What is shown instead of the rest of an answer; it says so, for pages that set it apart."""
        content = f"\n\n{text}" if after_text else text
        choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
        event = self._envelope | {"choices": [choice], "policy": "replacement"}
        return b"data: " + orjson.dumps(event) + b"\n\n"

    def usage(self, usage: Usage) -> bytes:
        return b"data: " + orjson.dumps(self._envelope | {"choices": [], "usage": _usage(usage)}) + b"\n\n"

    def whole(self, answer: Answer, *, include_usage: bool) -> Iterator[bytes]:
        """A complete answer as a stream."""
        yield self.delta({"role": "assistant", "content": ""})
        for start in range(0, len(answer.text), _PIECE_CHARS):
            yield self.delta({"content": answer.text[start : start + _PIECE_CHARS]})
        if answer.tool_calls:
            yield self.tool_calls(answer.tool_calls)
        yield self.delta({}, answer.finish_reason)
        if include_usage and answer.usage is not None:
            yield self.usage(answer.usage)
        yield DONE


def _envelope(kind: str, inference_id: str, feature: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{inference_id}", "object": kind, "created": int(time.time()), "model": feature}


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
