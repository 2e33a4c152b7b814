"""The script: which model id behaves how. Parsed strictly, so that a typo in a test fails the test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import orjson


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one model answers. Everything defaults to a prompt, correct, short answer.

    `answer` is a `string.Template` over `$last` (the last message), `$model`, `$call` (its number) and `$key`
    (the request's hash). `*_share_bp` pick calls by the request's hash in basis points, so the same request
    meets the same fate every time. From call `after_calls` + 1 on, `then` applies: a provider that changes
    under the same name.
    """

    answer: str = "Scripted answer to: $last"
    provider_model: str = ""
    finish_reason: str = "stop"
    latency_ms: int = 0
    chunks: int = 4
    chunk_delay_ms: int = 0
    bytes_per_s: int = 0
    hang: bool = False
    status: int = 200
    status_share_bp: int = 10_000
    retry_after: str = ""
    redirect_to: str = ""
    html: bool = False
    truncate: bool = False
    broken_json: bool = False
    huge_bytes: int = 0
    usage: bool = True
    invalid_share_bp: int = 0
    invalid_answer: str = "this is no JSON"
    policy_share_bp: int = 0
    policy_answer: str = "a forbidden phrase"
    after_calls: int | None = None
    then: Behaviour | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Raises `ValueError` for unknown names and wrong types."""
        known = {entry.name: entry for entry in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if name not in known:
                raise ValueError(f"unknown behaviour {name!r}; one of {', '.join(sorted(known))}")
            if name == "then":
                values[name] = None if value is None else cls.parse(value)
            elif name == "after_calls":
                values[name] = None if value is None else int(value)
            elif type(value) is not type(known[name].default):
                raise ValueError(f"{name} must be a {type(known[name].default).__name__}")
            else:
                values[name] = value
        return cls(**values)

    def at_call(self, number: int) -> Behaviour:
        """The behaviour that answers call `number` (from 1)."""
        if self.then is not None and self.after_calls is not None and number > self.after_calls:
            return self.then.at_call(number - self.after_calls)
        return self


@dataclass(frozen=True, slots=True)
class Script:
    """Behaviours by model id, and the one for all others."""

    default: Behaviour = field(default_factory=Behaviour)
    models: Mapping[str, Behaviour] = field(default_factory=dict)

    def behaviour(self, model: str, *, call: int) -> Behaviour:
        return self.models.get(model, self.default).at_call(call)


def parse_script(raw: Any) -> Script:
    """`{"default": {…}, "models": {id: {…}}}` as a `Script`. Raises `ValueError`."""
    if not isinstance(raw, dict) or not raw.keys() <= {"default", "models"}:
        raise ValueError('a script is {"default": {…}, "models": {id: {…}}}')
    return Script(
        default=Behaviour.parse(raw.get("default", {})),
        models={name: Behaviour.parse(entry) for name, entry in raw.get("models", {}).items()},
    )


def request_key(model: str, messages: object) -> str:
    """A hash of what was asked: 16 hex digits, equal for equal requests."""
    return hashlib.sha256(orjson.dumps([model, messages], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def picked(key: str, what: str, share_bp: int) -> bool:
    """Whether the request with this key is among `share_bp` of 10,000 for the purpose `what`."""
    digest = hashlib.sha256(f"{what}:{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") * 10_000 >> 32 < share_bp
