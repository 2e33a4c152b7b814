"""The border of this package: what a model call takes, what it gives, how it fails, who can do it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class FailureKind(StrEnum):
    """Why a call gave no usable answer."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    BAD_REQUEST = "bad_request"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"


class ProviderError(Exception):
    """A call that gave no usable answer.

    `detail` is for operators: it may quote the provider, never the request. `retry_after_s` is what the
    provider asked for.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        retry_after_s: float | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.http_status = http_status


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call to one model.

    `messages` are plain JSON in OpenAI's shape; `params` are passed on as they are (`temperature`,
    `max_tokens`…); `timeout_s` bounds the whole call, streaming included; `headers` go out with the request
    (`traceparent`).
    """

    model_id: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    response_format: Mapping[str, Any] | None = None
    timeout_s: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A complete answer. `message` is the assistant message as JSON.

    `usage` is None when the provider counted nothing. `fingerprint` is the provider's own word for what it ran on (OpenAI's
    `system_fingerprint`), empty where it gives none.
    """

    text: str
    message: Mapping[str, Any]
    finish_reason: str
    usage: Usage | None
    provider_model: str
    raw_id: str
    latency_ms: int
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """One piece of a streamed answer.

    `tool_calls` are deltas in OpenAI's shape; the last chunks carry the rest.
    """

    text: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    provider_model: str = ""
    raw_id: str = ""


class ChatProvider(Protocol):
    """One connection pool to one endpoint. Use it inside one event loop, and close it."""

    async def chat(self, request: ChatRequest) -> ChatResult:
        """The complete answer, or `ProviderError`."""

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """The answer in pieces.

        `ProviderError` at any point, also after pieces were given. Closing it ends the call.
        """

    async def aclose(self) -> None:
        """Close the connections. Calls under way fail."""
