"""Updates of mutable things: the caller names the revision that the change is based on (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="The revision that the change is based on, as the `ETag` of the answer that showed it.",
)
_REVISION = re.compile(r'(?:W/)?"?(\d{1,9})"?')


def revision_of(request: Request) -> int:
    """The revision in `If-Match`. Raises `InvalidInput`, with status 428 where it is missing."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise InvalidInput(
            "Send If-Match with the ETag that you read, so that nobody's change is overwritten.",
            code="precondition_required",
            field="If-Match",
            status=status.HTTP_428_PRECONDITION_REQUIRED,
        )
    match = _REVISION.fullmatch(header)
    if match is None:
        raise InvalidInput('If-Match is a revision, such as "5".', field="If-Match")
    return int(match[1])


def with_etag(data: Any, revision: int, *, status_code: int = 200) -> Response:
    """An answer that carries the revision as a strong ETag."""
    return Response(data, status=status_code, headers={"ETag": f'"{revision}"'})
