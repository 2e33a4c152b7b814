"""JSON in, strictly: nothing that could not be stored and read back as the same value (NaN, infinities, floats from 2^53, NUL,
lone surrogates), no duplicate keys, bounded depth.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from promptstore.core.errors import InvalidInput

MAX_DEPTH = 60
# From here on floats have no fraction: PostgreSQL reads them back as integers, which have no canonical form at that size.
FLOAT_LIMIT = 2.0**53
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NumberTooLarge(ValueError):
    """A float that would not survive being stored; `field` is its place, such as `body.rules[0].limit`."""

    def __init__(self, field: str, value: float) -> None:
        super().__init__(
            f"{value!r} at {field or 'the top'} is too large a number: use less than 2^53, or a text"
        )
        self.field = field


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
    """Parse JSON text or raise `ValueError` with a reason for people (`NumberTooLarge` with the place)."""
    if "\x00" in text or "\\u0000" in text:
        raise ValueError("NUL characters cannot be stored; remove \\u0000")
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    large: list[float] = []

    def number(digits: str) -> float:
        found = _float(digits)
        if abs(found) >= FLOAT_LIMIT:
            large.append(found)
        return found

    value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=number)
    if large:
        raise NumberTooLarge(_place_of(large[0], value) or "", large[0])
    if _SURROGATE.search(text):
        _require_text(value)
    return value


def _place_of(wanted: float, value: Any, place: str = "") -> str | None:
    """Where the float `wanted` stands in `value`; `None` where it does not."""
    members: Iterable[tuple[str, Any]] = ()
    if isinstance(value, float) and value == wanted:
        return place
    if isinstance(value, dict):
        members = ((f"{place}.{key}" if place else str(key), one) for key, one in value.items())
    elif isinstance(value, list):
        members = ((f"{place}[{index}]", one) for index, one in enumerate(value))
    found = (_place_of(wanted, one, inner) for inner, one in members)
    return next((one for one in found if one is not None), None)


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
        except NumberTooLarge as error:
            raise InvalidInput(
                f"{error}.", code="not_canonical", field=error.field[:200] or "body"
            ) from error
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
