"""`/v1/features/{feature}/resolve`: what a unit gets now, from ready bytes."""

from __future__ import annotations

import re
from typing import Any

from promptstore.core.errors import InvalidInput
from serving.auth import authenticate, find_principal
from serving.http import Request, Response, Scope, Send, parse_query
from serving.node import Node
from serving.prepared import Message, Prepared, etag_matches
from serving.routing import check_unit, find_feature, prepared

# Nothing to decode: the usual query, read without the general parser.
_PLAIN = re.compile(rb"unit=([A-Za-z0-9._~-]{0,200})")


def resolve_now(node: Node, scope: Scope, name: str) -> tuple[Message, Message]:
    """`GET …?unit=U`, with `If-None-Match`, as the two ASGI messages to send.

    The hot path: no await, no JSON, no log, no copy; every line here runs tens of thousands of times a
    second.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    environment = find_principal(node.holder.current, headers.get(b"authorization"), "serve").environment
    raw_pin = headers.get(b"x-promptstore-pin")
    pin = None if raw_pin is None else raw_pin.decode("latin-1")
    plain = _PLAIN.fullmatch(scope["query_string"])
    if plain is not None:
        unit: str | None = plain[1].decode("ascii")
    else:
        parameters = parse_query(scope["query_string"])
        unit, pin = check_unit(parameters.get("unit")), parameters.get("pin") or pin
    ready = prepared(environment, find_feature(environment, name), unit=unit, pin=pin, pins=node.pins)
    messages = _conditional(ready, headers.get(b"if-none-match"))
    stale = node.freshness.headers(environment)
    if stale:
        start, end = messages
        return {**start, "headers": [*start["headers"], *stale]}, end
    return messages


async def resolve_post(node: Node, request: Request, _: Send) -> Response:
    """`POST {unit, attributes, pin}`: keeps units out of URLs and their logs."""
    environment = authenticate(node.holder.current, request, scope="serve").environment
    body = await request.json_object(limit=node.settings.max_body_bytes)
    attributes = body.get("attributes")
    if attributes is not None and not isinstance(attributes, dict):
        raise InvalidInput("Attributes are a JSON object.", field="attributes")
    feature = find_feature(environment, request.name)
    unit, pin = check_unit(body.get("unit")), check_pin(body, request)
    ready = prepared(environment, feature, unit=unit, pin=pin, pins=node.pins)
    start, end = _conditional(ready, request.header(b"if-none-match"))
    return Response(start["status"], end["body"], start["headers"], complete=True)


def check_pin(body: dict[str, Any], request: Request) -> str | None:
    """The pin from the body, else from its header. Raises `InvalidInput` when it is no text."""
    pin = body.get("pin")
    if pin is not None and not isinstance(pin, str):
        raise InvalidInput("A pin is text.", field="pin")
    return pin or request.text_header(b"x-promptstore-pin")


def _conditional(ready: Prepared, if_none_match: bytes | None) -> tuple[Message, Message]:
    if if_none_match is not None and etag_matches(if_none_match, ready.etag):
        return ready.not_modified
    return ready.ok
