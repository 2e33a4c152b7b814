"""What a model is asked: a release's messages with the parameters and limits that it was released with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import ChatRequest
from serving.documents import Model, Release
from serving.render import ReleaseUnusableError

DEFAULT_TIMEOUT_MS = 60_000


def primary_model(release: Release) -> Model:
    """Raises `ReleaseUnusableError` where the release names none."""
    model = release.models.get("primary")
    if model is None:
        raise ReleaseUnusableError("The release names no primary model.")
    return model


def model_request(
    release: Release,
    model: Model,
    messages: list[dict[str, Any]],
    *,
    max_tokens: int | None,
    traceparent: str,
) -> ChatRequest:
    """Model params are defaults, the prompt's params win, and limits cap both; `max_tokens` is the caller's own cap."""
    prompt, config = release.prompt, release.config
    params: dict[str, Any] = {**model.params, **(prompt.raw.get("params") or {})}
    wanted = [params.get("max_tokens"), config.limit("max_output_tokens", 0), max_tokens]
    caps = [int(cap) for cap in wanted if cap]
    if caps:
        params["max_tokens"] = min(caps)
    return ChatRequest(
        model_id=model.model_id,
        messages=messages,
        params=params,
        tools=prompt.raw.get("tools") or (),
        response_format=_response_format(
            params.pop("response_format", None), prompt.raw.get("output_schema")
        ),
        timeout_s=config.limit("timeout_ms", DEFAULT_TIMEOUT_MS) / 1000,
        headers={"traceparent": traceparent},
    )


def _response_format(value: object, schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A prompt names the kind (`json_schema`); the schema is its own output schema."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or value == "text":
        return None
    if value == "json_schema" and schema is not None:
        return {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": dict(schema), "strict": True},
        }
    return {"type": "json_object"}
