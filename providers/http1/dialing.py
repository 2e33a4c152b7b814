"""From a URL to an open connection, through the guard: what was checked is what is dialled."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cache

from aiohappyeyeballs import AddrInfoType, start_connection
from yarl import URL

from providers.guard import GuardedResolver
from providers.http1.connection import Connection

_EYEBALLS_DELAY_S = 0.25  # RFC 8305 §5: the next address is tried beside the first after this


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what the system trusts, and `SSL_CERT_FILE`. Made once: reading the certificates takes tens of milliseconds."""
    return ssl.create_default_context()


async def dial(url: URL, resolver: GuardedResolver, *, timeout_s: float) -> Connection:
    """Connect to the host of `url`, whose addresses must all pass the guard.

    Raises `TimeoutError`, `guard.UrlRefusedError`, `ssl.SSLError` or another `OSError`.
    """
    host, port = url.raw_host, url.port
    assert host is not None
    assert port is not None
    async with asyncio.timeout(timeout_s):
        found = await resolver.resolve(host, port, socket.AF_UNSPEC)
        infos: list[AddrInfoType] = [
            (one["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", _address(one["host"], one["port"]))
            for one in found
        ]
        sock = await start_connection(infos, happy_eyeballs_delay=_EYEBALLS_DELAY_S)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = url.scheme == "https"
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection,
                sock=sock,
                ssl=_tls() if secure else None,
                server_hostname=host if secure else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection


def _address(host: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    address, _, zone = host.partition("%")
    return (address, port, 0, int(zone) if zone.isdecimal() else 0) if ":" in host else (address, port)
