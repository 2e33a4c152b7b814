"""JSON in, strictly: nothing that could not be stored (NaN, infinities, NUL, lone surrogates), no duplicate keys, bounded depth."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from promptstore.core.errors import InvalidInput

MAX_DEPTH = 60
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names the same key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:20]} is too large a number")
    return value


def loads(text: str) -> Any:
    """Parse JSON text or raise `ValueError` with a reason for people."""
    if "\x00" in text or "\\u0000" in text:
        raise ValueError("NUL characters cannot be stored; remove \\u0000")
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float)
    if _SURROGATE.search(text):
        _require_text(value)
    return value


def _require_text(value: Any) -> None:
    """Two escaped surrogates in a row are one letter; one alone is none."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no text") from None


def refuse_large_body(request: Request) -> None:
    """Raise 413 before anything reads the body: DRF's parsers do not know Django's limit."""
    declared = request.headers.get("Content-Length") or "0"
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    if not declared.isdigit() or int(declared) > limit:
        raise InvalidInput(
            f"The body is larger than {limit // 1024} KB.", code="body_too_large", field="body", status=413
        )


def _depth(text: str) -> int:
    deepest = depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


class StrictJSONParser(JSONParser):
    """DRF's JSON parser with `loads` above."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - DRF's signature
    ) -> Any:
        try:
            return loads(stream.read().decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
