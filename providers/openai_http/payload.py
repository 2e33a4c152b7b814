"""Between our dataclasses and OpenAI's JSON.

What the provider sends is hostile until it has the expected shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.base import ChatChunk, ChatRequest, ChatResult, FailureKind, ProviderError, Usage


def encode(request: ChatRequest, *, stream: bool) -> bytes:
    """The request body. What the request fixes wins over `params` of the same name."""
    body: dict[str, Any] = {**request.params, "model": request.model_id, "messages": list(request.messages)}
    if request.tools:
        body["tools"] = list(request.tools)
    if request.response_format is not None:
        body["response_format"] = request.response_format
    body["stream"] = stream
    if stream:
        body["stream_options"] = {"include_usage": True}
    return orjson.dumps(body)


def parse_object(raw: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object, or `ProviderError(malformed)`."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ProviderError(FailureKind.MALFORMED, f"{what} is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise ProviderError(FailureKind.MALFORMED, f"{what} is not a JSON object")
    return value


def decode_result(raw: bytes, *, latency_ms: int) -> ChatResult:
    """A complete answer. Raises `ProviderError(malformed)` when there is no first choice with a message."""
    body = parse_object(raw, "the answer")
    choice = _first_choice(body)
    message = choice.get("message") if choice else None
    if not isinstance(message, dict):
        raise ProviderError(FailureKind.MALFORMED, "the answer has no choices[0].message")
    return ChatResult(
        text=_text(message.get("content")),
        message=message,
        finish_reason=_string(choice.get("finish_reason")) or "stop",
        usage=_usage(body.get("usage")),
        provider_model=_string(body.get("model")),
        raw_id=_string(body.get("id")),
        latency_ms=latency_ms,
        fingerprint=_string(body.get("system_fingerprint")),
    )


def decode_chunk(data: str) -> ChatChunk:
    """One streamed piece. Raises `ProviderError`; an error object inside the stream is `unavailable`."""
    body = parse_object(data, "a streamed piece")
    if "error" in body:
        raise ProviderError(FailureKind.UNAVAILABLE, f"the provider broke off: {error_message(body)}")
    choice = _first_choice(body)
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        delta = {}
    tool_calls = delta.get("tool_calls")
    return ChatChunk(
        text=_text(delta.get("content")),
        tool_calls=[call for call in tool_calls if isinstance(call, dict)]
        if isinstance(tool_calls, list)
        else (),
        finish_reason=_string(choice.get("finish_reason")) or None,
        usage=_usage(body.get("usage")),
        provider_model=_string(body.get("model")),
        raw_id=_string(body.get("id")),
    )


def error_message(body: Mapping[str, Any]) -> str:
    """The provider's own words, at most 200 characters of one line."""
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else "no message"
    return " ".join(text.split())[:200]


def _first_choice(body: Mapping[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def _text(content: object) -> str:
    """Message content is a string, null, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return ""


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    counts = (value.get("prompt_tokens"), value.get("completion_tokens"))
    read, written = (n if isinstance(n, int) and 0 <= n < 1 << 31 else None for n in counts)
    return None if read is None or written is None else Usage(read, written)


def _string(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""
