"""Answers in OpenAI's shapes, and what may be shown of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from providers import ChatResult, Usage
from registry.rendering import schemas
from registry.shown import everything_shown
from serving.documents import Prompt, Release

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


def is_valid_output(prompt: Prompt, text: str) -> bool | None:
    """Whether the text is JSON that the prompt's output schema accepts.

    None when the prompt has no schema.
    """
    schema = prompt.raw.get("output_schema")
    if schema is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return not schemas.validate(schema, value)


def shown(result: ChatResult) -> Answer:
    """Of a provider's message only known members are passed on; anything else would go around the filter."""
    calls = result.message.get("tool_calls")
    tool_calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return Answer(result.text, result.finish_reason, result.usage, tool_calls)


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

    def usage(self, usage: Usage) -> bytes:
        return b"data: " + orjson.dumps(self._envelope | {"choices": [], "usage": _usage(usage)}) + b"\n\n"

    def whole(self, answer: Answer, *, include_usage: bool) -> Iterator[bytes]:
        """A complete answer as a stream."""
        yield self.delta({"role": "assistant", "content": ""})
        for start in range(0, len(answer.text), _PIECE_CHARS):
            yield self.delta({"content": answer.text[start : start + _PIECE_CHARS]})
        if answer.tool_calls:
            yield self.delta(
                {"tool_calls": [{"index": i, **call} for i, call in enumerate(answer.tool_calls)]}
            )
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
