"""Which protocol is spoken by which class.

A new protocol is a package beside `openai_http` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from providers.base import ChatProvider
from providers.openai_http.client import OpenAIHTTP

PROTOCOLS: dict[str, Callable[..., ChatProvider]] = {
    "openai_http": OpenAIHTTP,
}


def build(
    protocol: str,
    *,
    base_url: str,
    api_key: str | None = None,
    allow_private: bool = False,
    connect_timeout_s: float = 5.0,
    max_response_bytes: int = 8_000_000,
) -> ChatProvider:
    """A provider for an endpoint.

    Raises `ValueError` for an unknown protocol, `guard.UrlRefusedError` for a URL that may not be called.
    """
    try:
        factory = PROTOCOLS[protocol]
    except KeyError:
        raise ValueError(f"unknown protocol {protocol!r}; one of {', '.join(sorted(PROTOCOLS))}") from None
    return factory(
        base_url=base_url,
        api_key=api_key,
        allow_private=allow_private,
        connect_timeout_s=connect_timeout_s,
        max_response_bytes=max_response_bytes,
    )
