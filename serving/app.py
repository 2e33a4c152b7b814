"""The ASGI application: from a path to a handler, and from an error to the answer its route speaks."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from promptstore.core.errors import DomainError, NotFound
from serving.http import ClientGoneError, Receive, Request, Response, Scope, Send, send_response
from serving.node import Node
from serving.prepared import Headers
from serving.problems import openai_error, problem
from serving.resolve import resolve_now
from serving.routes import RESOLVE, UNKNOWN, Handler, Route, find_route, resolved_feature

_log = structlog.get_logger("serving")
_NO_HEADERS: Headers = []


class MethodNotAllowedError(DomainError):
    """The path exists and takes other methods."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"


class InternalError(DomainError):
    """A defect of the product."""

    code = "internal_error"
    status = 500
    title = "Something went wrong on our side"


class App:
    """One node as an ASGI application. Its lifespan is the node's."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = resolved_feature(scope["method"], scope["path"])
            if name is None:
                await self._handle(scope, receive, send)
            else:
                await self._resolve(scope, send, name)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _resolve(self, scope: Scope, send: Send, name: str) -> None:
        started = time.perf_counter()
        try:
            start, end = resolve_now(self._node, scope, name)
        except DomainError as error:
            response = problem(error)
            await send_response(send, response, extra=_NO_HEADERS)
            self._node.metrics.request("resolve", response.status, time.perf_counter() - started)
            return
        await send(start)
        await send(end)
        self._node.metrics.request("resolve", start["status"], time.perf_counter() - started)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        route, request.name = find_route(request.path)
        sender = _Sender(send) if route.streams else send
        response: Response | None
        try:
            response = await _handler(request, route)(self._node, request, sender)
        except DomainError as error:
            response = _refusal(route, error)
        except ClientGoneError:
            self._node.metrics.request(route.label, 499, time.perf_counter() - started)
            return
        except Exception:
            # A stream that has begun can only be broken off, which is what the server does with an exception.
            if isinstance(sender, _Sender) and sender.started:
                raise
            _log.exception("request.failed", path=request.path)
            response = _refusal(route, InternalError("Please report this with the time and the path."))
        status = 200
        if response is not None:
            status = response.status
            environment = request.environment
            extra = _NO_HEADERS if environment is None else self._node.freshness.headers(environment)
            await send_response(send, response, extra=extra)
        self._node.metrics.request(route.label, status, time.perf_counter() - started)
        if response is not None and response.after is not None:
            response.after()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._node.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._node.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _handler(request: Request, route: Route) -> Handler:
    if route is UNKNOWN:
        raise NotFound("Nothing is here; /openapi.json lists what there is.", field="path")
    handler = route.methods.get(request.method)
    if handler is None:
        allowed = "GET, POST" if route is RESOLVE else ", ".join(route.methods)
        raise MethodNotAllowedError(f"Use {allowed}.", extra={"allow": allowed})
    return handler


def _refusal(route: Route, error: DomainError) -> Response:
    return openai_error(error) if route.openai else problem(error)


class _Sender:
    """Knows whether an answer has begun."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        self.started = True
        await self._send(message)
