"""A thin layer over ASGI: what a handler needs of a request, and the answer it gives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from promptstore.core.errors import DomainError, InvalidInput
from serving.prepared import Headers
from serving.state import EnvironmentState

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
MAX_DEPTH = 64
_ESCAPED_NUL = re.compile(rb"\\u0000")


class BodyTooLargeError(DomainError):
    """More bytes than this node reads."""

    code = "body_too_large"
    status = 413
    title = "The body is too large"


class ClientGoneError(Exception):
    """The caller closed the connection; there is nobody to answer."""


@dataclass(slots=True)
class Response:
    """A complete answer. `after` runs once it was sent: recording costs the caller nothing.

    `complete` says that the headers lack nothing, not even a length, and are shared: they are sent as they
    are.
    """

    status: int
    body: bytes
    headers: Headers = field(default_factory=list)
    after: Callable[[], None] | None = None
    complete: bool = False

    @classmethod
    def json(
        cls,
        value: object,
        *,
        status: int = 200,
        headers: Headers | None = None,
        after: Callable[[], None] | None = None,
    ) -> Response:
        return cls(status, orjson.dumps(value), [JSON, *(headers or [])], after)


class Request:
    """One HTTP request. `name` is the part of the path that names something.

    `environment` is set once the key is known.
    """

    __slots__ = ("environment", "headers", "method", "name", "path", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.name = ""
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.environment: EnvironmentState | None = None

    def header(self, name: bytes) -> bytes | None:
        """A header; `name` in lower case. Of repeated ones, the last."""
        return self.headers.get(name)

    def text_header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def query(self) -> dict[str, str]:
        return parse_query(self.scope["query_string"])

    async def body(self, *, limit: int) -> bytes:
        """The whole body, or `BodyTooLargeError` before more than `limit` bytes are held."""
        announced = self.header(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise BodyTooLargeError(f"Send at most {limit} bytes; this body has {int(announced)}.")
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise BodyTooLargeError(f"Send at most {limit} bytes.")
            pieces.append(piece)
            if not message.get("more_body"):
                return b"".join(pieces)

    async def json_object(self, *, limit: int) -> dict[str, Any]:
        """The body as a JSON object without NUL characters, at most `MAX_DEPTH` deep.

        Raises `InvalidInput`.
        """
        return parse_object(await self.body(limit=limit))


def parse_query(raw: bytes) -> dict[str, str]:
    """Query parameters, percent-decoded.

    Raises `InvalidInput` for a repeated name, bytes that are no UTF-8, or NUL.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, max_num_fields=20, encoding="utf-8", errors="strict"
        )
    except ValueError as error:
        raise InvalidInput(
            "The query string is not valid UTF-8 in percent-encoding.", field="query"
        ) from error
    result: dict[str, str] = {}
    for name, value in pairs:
        if name in result:
            raise InvalidInput("Give each parameter once.", field=name[:80])
        if "\x00" in value:
            raise InvalidInput("NUL is not allowed.", field=name[:80], code="nul_byte")
        result[name] = value
    return result


def parse_object(raw: bytes) -> dict[str, Any]:
    """See `Request.json_object`."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if b"\x00" in raw:
            raise InvalidInput("The body contains a NUL byte.", code="nul_byte") from error
        raise InvalidInput(f"The body is not JSON: {error}.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise InvalidInput("Send a JSON object.", code="invalid_json")
    _check_values(value, look_for_nul=_ESCAPED_NUL.search(raw) is not None)
    return value


def _check_values(value: dict[str, Any], *, look_for_nul: bool) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                if look_for_nul:
                    below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif look_for_nul and isinstance(item, str) and "\x00" in item:
                raise InvalidInput("A text in the body contains NUL.", code="nul_byte")
        if not below:
            return
        level = below
    raise InvalidInput(f"The body is nested deeper than {MAX_DEPTH} levels.", code="too_deep")


async def send_response(send: Send, response: Response, *, extra: Headers) -> None:
    """Send a complete answer; `extra` headers go to every answer of this node."""
    headers = response.headers
    if not response.complete:
        headers = [*headers, (b"content-length", str(len(response.body)).encode())]
    if extra:
        headers = [*headers, *extra]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
