"""Reading an HTTP answer with limits, and turning everything that can be wrong with it into a
`ProviderError`.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from promptstore.core import clock
from providers.base import FailureKind, ProviderError
from providers.http1.connection import Connection
from providers.openai_http.payload import error_message, parse_object

_ERROR_BODY_BYTES = 16_384
_KINDS = {
    401: FailureKind.UNAUTHORIZED,
    403: FailureKind.UNAUTHORIZED,
    408: FailureKind.TIMEOUT,
    429: FailureKind.RATE_LIMITED,
    504: FailureKind.TIMEOUT,
}


async def check_status(response: Connection) -> None:
    """Raise for everything but 200. Redirects are failures: following one would go around the URL guard."""
    status = response.status
    if status == 200:
        return
    if status < 400:
        raise ProviderError(
            FailureKind.MALFORMED,
            f"HTTP {status} where 200 was expected; redirects are not followed",
            http_status=status,
        )
    kind = _KINDS.get(status) or (FailureKind.BAD_REQUEST if status < 500 else FailureKind.UNAVAILABLE)
    raise ProviderError(
        kind,
        f"HTTP {status}: {await _said(response)}",
        retry_after_s=retry_after_s(response.headers.get("retry-after")),
        http_status=status,
    )


async def _said(response: Connection) -> str:
    try:
        return error_message(parse_object(await response.whole(limit=_ERROR_BODY_BYTES), "the error"))
    except ProviderError:
        return "no readable message"  # the status alone decides; the words are a courtesy


def check_media_type(response: Connection, expected: str) -> None:
    """A proxy's HTML page with status 200 is not an answer.

    Neither is a compressed one, which was not asked for.
    """
    content_type = response.headers.get("content-type", "without a type").partition(";")[0].strip().lower()
    if content_type != expected:
        raise ProviderError(FailureKind.MALFORMED, f"the answer is {content_type}, not {expected}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProviderError(FailureKind.MALFORMED, "the answer is compressed, which was not asked for")


def retry_after_s(value: str | None) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 §10.2.3.

    Seconds or a date), at most a day; None when absent or unreadable.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), 86_400.0)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - clock.now()).total_seconds(), 0.0), 86_400.0)
