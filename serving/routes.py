"""Which path is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from serving import health, openapi
from serving.gateway import chat_completions
from serving.http import Request, Response, Send
from serving.intake import telemetry
from serving.node import Node
from serving.prompts import prompt_get, render_post
from serving.resolve import resolve_post
from serving.snapshot import snapshot_events, snapshot_get

Handler = Callable[[Node, Request, Send], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler per method. `label` names it in metrics; `openai` says whose shape its errors have.

    `streams` marks handlers that may send an answer themselves.
    """

    label: str
    methods: Mapping[str, Handler]
    openai: bool = False
    streams: bool = False


RESOLVE = Route("resolve", {"POST": resolve_post})
RENDER = Route("render", {"POST": render_post})
PROMPT = Route("prompt", {"GET": prompt_get})
UNKNOWN = Route("unknown", {})

FIXED: dict[str, Route] = {
    "/v1/chat/completions": Route("chat", {"POST": chat_completions}, openai=True, streams=True),
    "/v1/telemetry": Route("telemetry", {"POST": telemetry}),
    "/v1/snapshot": Route("snapshot", {"GET": snapshot_get}),
    "/v1/snapshot/events": Route("snapshot_events", {"GET": snapshot_events}, streams=True),
    "/livez": Route("livez", {"GET": health.livez}),
    "/readyz": Route("readyz", {"GET": health.readyz}),
    "/metrics": Route("metrics", {"GET": health.metrics}),
    "/openapi.json": Route("openapi", {"GET": openapi.serve}),
}

_FEATURES = "/v1/features/"
_PROMPTS = "/v1/prompts/"
_RESOLVE = "/resolve"


def resolved_feature(method: str, path: str) -> str | None:
    """The feature that this request resolves by GET, which the application answers without a handler.

    Else None.
    """
    if method == "GET" and path.startswith(_FEATURES) and path.endswith(_RESOLVE):
        return path[len(_FEATURES) : -len(_RESOLVE)]
    return None


def find_route(path: str) -> tuple[Route, str]:
    """The route of a path (`UNKNOWN` for none), and the name inside it."""
    if path.startswith(_FEATURES):
        if path.endswith(_RESOLVE):
            return RESOLVE, path[len(_FEATURES) : -len(_RESOLVE)]
        if path.endswith("/render"):
            return RENDER, path[len(_FEATURES) : -len("/render")]
    fixed = FIXED.get(path)
    if fixed is not None:
        return fixed, ""
    if path.startswith(_PROMPTS):
        return PROMPT, path[len(_PROMPTS) :]
    return UNKNOWN, ""
