from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from providers.guard import GuardedResolver, UrlRefusedError, check_address, check_url

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "fe80::1%eth0",
]


class Answers(AbstractResolver):
    """A resolver whose answers change, as a hostile name server's do."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    check_address(address, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_only_where_the_endpoint_says_so(address: str) -> None:
    check_address(address, allow_private=True)
    with pytest.raises(UrlRefusedError):
        check_address(address, allow_private=False)


@pytest.mark.parametrize("address", NEVER)
def test_metadata_multicast_and_unspecified_addresses_never(address: str) -> None:
    for allow_private in (False, True):
        with pytest.raises(UrlRefusedError):
            check_address(address, allow_private=allow_private)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "file:///etc/passwd",
        "//host/x",
        "https://",
        "https://user:pass@host/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[",
    ],
)
def test_urls_that_may_not_be_called_are_refused(url: str) -> None:
    with pytest.raises(UrlRefusedError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost"])
async def test_other_names_of_loopback_are_refused_when_they_are_resolved(host: str) -> None:
    check_url(f"http://{host}/", allow_private=False)
    with pytest.raises(UrlRefusedError):
        await GuardedResolver(allow_private=False).resolve(host, 80)


async def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    with pytest.raises(UrlRefusedError):
        await GuardedResolver(allow_private=False, inner=Answers([PUBLIC[0], "10.0.0.1"])).resolve(
            "mixed.example"
        )


async def test_a_name_that_turns_private_between_check_and_call_is_not_called() -> None:
    calls = 0

    async def count(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    resolver = GuardedResolver(allow_private=False, inner=Answers([PUBLIC[0]], ["127.0.0.1"]))
    await resolver.resolve("rebind.example")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(f"http://rebind.example:{port}/")
    assert isinstance(caught.value.os_error, UrlRefusedError)
    assert not calls
    server.close()
    await server.wait_closed()
