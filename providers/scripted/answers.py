"""What a behaviour says: the answer's text, and its JSON in both of OpenAI's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template
from typing import Any

from providers.scripted.behaviour import Behaviour, picked


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the script sees it."""

    model: str
    messages: list[Any]
    number: int
    key: str


def answer_text(behaviour: Behaviour, call: Call) -> str:
    """The text for this call; the policy share wins over the invalid share."""
    if picked(call.key, "policy", behaviour.policy_share_bp):
        return behaviour.policy_answer
    if picked(call.key, "invalid", behaviour.invalid_share_bp):
        return behaviour.invalid_answer
    last = (
        call.messages[-1].get("content", "") if call.messages and isinstance(call.messages[-1], dict) else ""
    )
    return Template(behaviour.answer).safe_substitute(
        last=last, model=call.model, call=str(call.number), key=call.key
    )


def usage(text: str, call: Call) -> dict[str, int]:
    """Words as tokens: enough to do sums with."""
    read = sum(len(str(m.get("content", "")).split()) for m in call.messages if isinstance(m, dict))
    written = len(text.split())
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _envelope(behaviour: Behaviour, call: Call, kind: str) -> dict[str, Any]:
    return {
        "id": f"scripted-{call.key}-{call.number}",
        "object": kind,
        "created": 0,
        "model": behaviour.provider_model or call.model,
        "system_fingerprint": "scripted",
    }


def completion(behaviour: Behaviour, call: Call) -> dict[str, Any]:
    """The complete answer as JSON."""
    text = answer_text(behaviour, call)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": behaviour.finish_reason,
    }
    body = _envelope(behaviour, call, "chat.completion") | {"choices": [choice]}
    if behaviour.usage:
        body["usage"] = usage(text, call)
    return body


def pieces(behaviour: Behaviour, call: Call, *, include_usage: bool) -> Iterator[dict[str, Any]]:
    """The answer as `chunks` streamed objects, the finishing one, and usage if asked for."""
    text = answer_text(behaviour, call)
    envelope = _envelope(behaviour, call, "chat.completion.chunk")
    size = max(1, -(-len(text) // max(1, behaviour.chunks)))
    for start in range(0, len(text), size):
        delta = {"content": text[start : start + size]}
        yield envelope | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield envelope | {"choices": [{"index": 0, "delta": {}, "finish_reason": behaviour.finish_reason}]}
    if include_usage and behaviour.usage:
        yield envelope | {"choices": [], "usage": usage(text, call)}
