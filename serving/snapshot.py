"""`/v1/snapshot` and its events: what edge nodes and SDKs follow. It carries no keys and no credentials."""

from __future__ import annotations

import asyncio
import contextlib
import random

import orjson

from serving.auth import OutOfScopeError, UnauthenticatedError, authenticate
from serving.disconnects import unless_gone
from serving.http import ClientGoneError, Request, Response, Send
from serving.node import Node
from serving.prepared import Headers, etag_matches, strong_etag
from serving.state import EnvironmentState
from serving.verify import FORMAT

_HEARTBEAT_S = 15.0
_EVENT_STREAM: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]


async def snapshot_get(node: Node, request: Request, _: Send) -> Response:
    """The signed root and its feature documents, as the exact texts that were signed and hashed."""
    principal = authenticate(node.holder.current, request, scope="serve")
    environment = principal.environment
    body = environment.cache.get("client")
    if body is None:
        body = environment.cache["client"] = _client_snapshot(node, environment)
    headers: Headers = [(b"etag", strong_etag(body)), (b"cache-control", b"private, no-cache")]
    wanted = request.header(b"if-none-match")
    if wanted is not None and etag_matches(wanted, headers[0][1]):
        return Response(304, b"", headers, complete=True)
    return Response(200, body, [(b"content-type", b"application/json"), *headers])


def _client_snapshot(node: Node, environment: EnvironmentState) -> bytes:
    signed = environment.root.signed
    unread = environment.unread
    public_key = node.holder.current.trusted.get(signed.key_id, b"")
    return orjson.dumps(
        {
            "format": FORMAT,
            "root": {
                "body": signed.body.decode(),
                "signature": signed.signature.hex(),
                "key_id": signed.key_id,
                "public_key": public_key.hex(),
            },
            # What the root names, also where this node serves an earlier document: a client may understand more.
            "documents": {
                digest: unread[name].body.decode()
                if name in unread
                else environment.features[name].document.body.decode()
                for name, digest in environment.root.documents.items()
            },
        }
    )


async def snapshot_events(node: Node, request: Request, send: Send) -> None:
    """Server-sent `generation` events: one at once, then one for each change; comments in between keep it
    open.

    The stream ends when the caller goes, the node stops, or the key is revoked.
    """
    environment = authenticate(node.holder.current, request, scope="serve").environment
    environment_id = environment.root.signed.environment_id
    headers = [*_EVENT_STREAM, *node.freshness.headers(environment)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    # Spread reconnects: after an outage all clients come back at once.
    await _write(send, f"retry: {random.randint(1_000, 5_000)}\n\n".encode())  # noqa: S311 - jitter
    with contextlib.suppress(ClientGoneError, UnauthenticatedError, OutOfScopeError):
        await unless_gone(request.receive, _follow(node, request, environment_id, send))
    await send({"type": "http.response.body", "body": b""})


async def _follow(node: Node, request: Request, environment_id: str, send: Send) -> None:
    sent: tuple[int, int] | None = None
    while not node.stopping:
        changed = node.holder.changed  # taken before the look, so that no swap falls in between
        order = node.holder.current.environments[environment_id].root.order
        if order != sent:
            authenticate(node.holder.current, request, scope="serve")
            sent = order
            data = orjson.dumps({"epoch": order[0], "generation": order[1]})
            await _write(send, b"event: generation\nid: %d.%d\ndata: %b\n\n" % (*order, data))
        try:
            async with asyncio.timeout(_HEARTBEAT_S):
                await changed.wait()
        except TimeoutError:
            await _write(send, b": still here\n\n")


async def _write(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})
