"""The guard in front of every outgoing request whose URL a person typed (server-side request forgery).

Checking a name and then fetching it loses to a name that answers differently the second time. Here the
resolver itself does the checking, and the connector dials exactly the addresses the resolver returned: what
was checked is what is dialled.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class UrlRefusedError(OSError):
    """The URL or an address behind it is not one this product may call.

    (An `OSError` so that aiohttp's connector carries it.)
    """


def _effective(address: IPAddress) -> IPAddress:
    """The IPv4 address that a transition form of IPv6 ends up at, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_address(text: str, *, allow_private: bool) -> None:
    """Raise `UrlRefusedError` unless the IP address may be dialled.

    Link-local addresses (cloud metadata lives there), multicast and the unspecified address are refused
    always; loopback, private and otherwise non-global ranges unless `allow_private`.
    """
    address = _effective(ipaddress.ip_address(text.split("%", 1)[0]))
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise UrlRefusedError(
            f"{text} is a link-local, multicast or unspecified address, which is never called"
        )
    if not address.is_global and not allow_private:
        raise UrlRefusedError(f"{text} is a private address; allow it on the endpoint if that is meant")


def check_url(url: str, *, allow_private: bool) -> URL:
    """The parsed URL, or `UrlRefusedError`.

    Http or https, a host, no user info; a literal address must pass the guard.
    """
    try:
        parsed = URL(url)
    except ValueError as error:
        raise UrlRefusedError(f"not a URL: {error}") from error
    if parsed.scheme not in {"http", "https"}:
        raise UrlRefusedError(f"scheme {parsed.scheme or '(none)'!r} is not allowed; use https or http")
    if not parsed.host:
        raise UrlRefusedError("the URL names no host")
    if parsed.user is not None or parsed.password is not None:
        raise UrlRefusedError("a URL must not carry a user name or password")
    with contextlib.suppress(ValueError):  # a name, not an address: the resolver checks what it resolves to
        check_address(parsed.host, allow_private=allow_private)
    return parsed


class GuardedResolver(AbstractResolver):
    """Resolves names and refuses those of which any address may not be dialled."""

    def __init__(self, *, allow_private: bool, inner: AbstractResolver | None = None) -> None:
        self._allow_private = allow_private
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._inner.resolve(host, port, family)
        for result in results:
            check_address(result["host"], allow_private=self._allow_private)
        return results

    async def close(self) -> None:
        await self._inner.close()


def guarded_connector(*, allow_private: bool, limit: int = 100) -> aiohttp.TCPConnector:
    """A connector that dials only what `GuardedResolver` let through.

    Literal addresses skip resolvers: use `check_url` too.
    """
    return aiohttp.TCPConnector(resolver=GuardedResolver(allow_private=allow_private), limit=limit)
