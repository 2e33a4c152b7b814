"""Errors over HTTP: RFC 9457 problem documents, and OpenAI's shape on its route."""

from __future__ import annotations

from typing import Any

import orjson

from promptstore.core.errors import DomainError
from serving.http import JSON, Response
from serving.prepared import Headers

_PROBLEM = (b"content-type", b"application/problem+json")
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def problem(error: DomainError) -> Response:
    """The refusal as a problem document. `retry_after_s` in its extras becomes a header."""
    extra = dict(error.extra)
    headers = _headers(error.status, extra)
    body: dict[str, Any] = {
        "type": f"urn:promptstore:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    if error.field:
        body["field"] = error.field
    if error.errors:
        body["errors"] = error.errors
    return Response(error.status, orjson.dumps(body | extra), [_PROBLEM, *headers])


def openai_error(error: DomainError) -> Response:
    """The same in the shape that OpenAI's clients read."""
    headers = _headers(error.status, dict(error.extra))
    return Response(error.status, orjson.dumps(openai_body(error)), [JSON, *headers])


def openai_body(error: DomainError) -> dict[str, Any]:
    kind = _OPENAI_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return {"error": {"message": error.detail, "type": kind, "param": error.field, "code": error.code}}


def _headers(status: int, extra: dict[str, Any]) -> Headers:
    headers: Headers = []
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if "retry_after_s" in extra:
        headers.append((b"retry-after", str(max(1, round(extra["retry_after_s"]))).encode()))
    if "allow" in extra:
        headers.append((b"allow", str(extra["allow"]).encode()))
    return headers
