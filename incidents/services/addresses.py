"""Addresses that people type for messages: checked before they are kept, and again whenever they are called."""

from __future__ import annotations

from promptstore.core.errors import InvalidInput
from providers.guard import UrlRefusedError, check_url
from registry.names import check_text

MAX_URL_CHARS = 2_000


def check_destination(url: str, *, allow_private: bool, field: str = "url") -> str:
    """The URL itself. Raises `InvalidInput`, with code `url_refused` for an address that may not be called."""
    url = check_text(url, field=field, max_chars=MAX_URL_CHARS, required=True)
    try:
        parsed = check_url(url, allow_private=allow_private)
    except UrlRefusedError as error:
        raise InvalidInput(
            f"This URL may not be called: {error}.", code="url_refused", field=field
        ) from error
    if parsed.scheme != "https" and not allow_private:
        raise InvalidInput(
            "Use https: messages carry secrets. Plain http is for addresses of your own network.",
            code="url_refused",
            field=field,
        )
    if parsed.fragment:
        raise InvalidInput("Leave out everything from # on.", field=field)
    return url


def origin_of(url: str) -> str:
    """Scheme, host and port: what people are shown of a checked address."""
    return str(check_url(url, allow_private=True).origin())[:300]
