"""The server's routes: `/v1/chat/completions`, `/v1/models`, and `/_script`, `/_calls` to direct and observe
it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

import orjson
from aiohttp import web

from providers.scripted.answers import Call, completion, pieces
from providers.scripted.behaviour import Behaviour, Script, parse_script, picked, request_key

_SERVER = {"Server": "promptstore-scripted"}
_FILLER = b" " * 65_536


class ScriptedApp:
    """The state behind the routes. `script` may be replaced at any time; calls under way keep theirs."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.counts: Counter[str] = Counter()
        self.disconnects = 0
        self.recent: deque[dict[str, Any]] = deque(maxlen=100)

    def web_app(self) -> web.Application:
        app = web.Application(client_max_size=16_000_000)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.list_models)
        app.router.add_get("/_calls", self.show_calls)
        app.router.add_put("/_script", self.put_script)
        return app

    async def put_script(self, request: web.Request) -> web.Response:
        try:
            self.script = parse_script(orjson.loads(await request.read()))
        except (ValueError, TypeError, AttributeError) as error:
            return _json({"error": {"message": str(error), "type": "invalid_script"}}, status=400)
        self.counts.clear()
        return _json({"models": sorted(self.script.models)})

    async def show_calls(self, _: web.Request) -> web.Response:
        return _json({"counts": self.counts, "disconnects": self.disconnects, "recent": list(self.recent)})

    async def list_models(self, _: web.Request) -> web.Response:
        data = [
            {"id": name, "object": "model", "owned_by": "scripted"} for name in sorted(self.script.models)
        ]
        return _json({"object": "list", "data": data})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        try:
            body = orjson.loads(await request.read())
            model, messages = str(body["model"]), list(body["messages"])
        except (ValueError, KeyError, TypeError):
            return _json(
                {"error": {"message": "expected {model, messages}", "type": "invalid_request_error"}},
                status=400,
            )
        self.counts[model] += 1
        call = Call(model, messages, self.counts[model], request_key(model, messages))
        # Plain names: `_json` takes no other.
        headers = {str(name): value for name, value in request.headers.items()}
        self.recent.append({"body": body, "headers": headers})
        behaviour = self.script.behaviour(model, call=call.number)
        try:
            return await _answer(request, behaviour, call, body)
        except asyncio.CancelledError:
            self.disconnects += 1
            raise


async def _answer(
    request: web.Request, behaviour: Behaviour, call: Call, body: dict[str, Any]
) -> web.StreamResponse:
    if behaviour.hang:
        await asyncio.Event().wait()
    await asyncio.sleep(behaviour.latency_ms / 1000)
    if behaviour.redirect_to:
        return web.Response(status=307, headers={**_SERVER, "Location": behaviour.redirect_to})
    if behaviour.status != 200 and picked(call.key, "status", behaviour.status_share_bp):
        headers = {"Retry-After": behaviour.retry_after} if behaviour.retry_after else {}
        error = {"error": {"message": f"scripted failure {behaviour.status}", "type": "scripted"}}
        return _json(error, status=behaviour.status, headers=headers)
    if behaviour.html:
        return web.Response(
            text="<html><body>Sign in to the Wi-Fi</body></html>", content_type="text/html", headers=_SERVER
        )
    if behaviour.huge_bytes:
        return await _huge(request, behaviour.huge_bytes)
    if body.get("stream"):
        return await _stream(
            request,
            behaviour,
            call,
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        )
    return await _whole(request, behaviour, call)


async def _whole(request: web.Request, behaviour: Behaviour, call: Call) -> web.StreamResponse:
    raw = orjson.dumps(completion(behaviour, call))
    if behaviour.broken_json:
        raw = raw[: len(raw) // 2]
    if not behaviour.truncate and not behaviour.bytes_per_s:
        return web.Response(body=raw, content_type="application/json", headers=_SERVER)
    response = web.StreamResponse(headers={**_SERVER, "Content-Type": "application/json"})
    response.content_length = len(raw)
    await response.prepare(request)
    if behaviour.truncate:
        await response.write(raw[: len(raw) // 2])
        return _cut(request, response)
    for position in range(len(raw)):
        await response.write(raw[position : position + 1])
        await asyncio.sleep(1 / behaviour.bytes_per_s)
    return response


async def _stream(
    request: web.Request, behaviour: Behaviour, call: Call, *, include_usage: bool
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**_SERVER, "Content-Type": "text/event-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for number, piece in enumerate(pieces(behaviour, call, include_usage=include_usage)):
        if behaviour.truncate and number == max(1, behaviour.chunks // 2):
            return _cut(request, response)
        raw = b"{" if behaviour.broken_json else orjson.dumps(piece)
        event = b"data: " + raw + b"\n\n"
        step = 1 if behaviour.bytes_per_s else len(event)
        for start in range(0, len(event), step):
            await response.write(event[start : start + step])
            if behaviour.bytes_per_s:
                await asyncio.sleep(1 / behaviour.bytes_per_s)
        await asyncio.sleep(behaviour.chunk_delay_ms / 1000)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _huge(request: web.Request, size: int) -> web.StreamResponse:
    """A body of `size` blanks, unannounced; made while it is sent, so it costs no memory."""
    response = web.StreamResponse(headers={**_SERVER, "Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(-(-size // len(_FILLER))):
        await response.write(_FILLER)
    return response


def _cut(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close the connection inside the body."""
    if request.transport is not None:
        request.transport.close()
    return response


def _json(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(value),
        status=status,
        content_type="application/json",
        headers={**_SERVER, **(headers or {})},
    )
