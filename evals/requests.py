"""The call that a release makes, as the data plane makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers import ChatRequest
from registry.rendering.params import ResponseFormat

DEFAULT_TIMEOUT_MS = 60_000


def chat_request(
    *,
    prompt: Mapping[str, Any],
    model: Mapping[str, Any],
    config: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
) -> ChatRequest:
    """One request from the documents of a prompt, a model and a config's body.

    What the prompt pins wins over the model's defaults; the config's `max_output_tokens` and `timeout_ms` bound both.
    """
    limits = config.get("limits") or {}
    params = {**(model.get("params") or {}), **(prompt.get("params") or {})}
    wanted = params.pop("response_format", None)
    if cap := limits.get("max_output_tokens"):
        params["max_tokens"] = min(params.get("max_tokens") or cap, cap)
    return ChatRequest(
        model_id=model["model_id"],
        messages=messages,
        params=params,
        tools=prompt.get("tools") or (),
        response_format=_response_format(wanted, prompt),
        timeout_s=(limits.get("timeout_ms") or DEFAULT_TIMEOUT_MS) / 1000,
    )


def _response_format(wanted: object, prompt: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The protocol's own shape; the schema of `json_schema` is the prompt's output schema."""
    if isinstance(wanted, dict):
        return wanted
    if not isinstance(wanted, str) or wanted == ResponseFormat.TEXT:
        return None
    if wanted == ResponseFormat.JSON_SCHEMA and prompt.get("output_schema") is not None:
        schema = {"name": "output", "schema": prompt["output_schema"], "strict": True}
        return {"type": "json_schema", "json_schema": schema}
    return {"type": "json_object"}
