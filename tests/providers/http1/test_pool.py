from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from promptstore.core import clock
from providers.base import FailureKind, ProviderError
from providers.http1 import dialing
from providers.posting import Poster

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers every request, and counts the connections and the requests. `hold` keeps answers back."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.writers: set[asyncio.StreamWriter] = set()
        self._came = asyncio.Condition()

    async def has(self, requests: int) -> None:
        """Wait until so many requests have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.requests) >= requests)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            while request := await reader.read(65_536):
                self.requests.append(request)
                async with self._came:
                    self._came.notify_all()
                await self.hold.wait()
                writer.write(ANSWER)
        except ConnectionError:
            return
        finally:
            self.writers.discard(writer)
            writer.close()


@asynccontextmanager
async def running(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Server, int]]:
    made = Server()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield made, server.sockets[0].getsockname()[1]


def poster(port: int, *, host: str = "127.0.0.1", scheme: str = "http") -> Poster:
    return Poster(
        url=f"{scheme}://{host}:{port}/v1/chat/completions?tenant=a%20b",
        headers={"Authorization": "Bearer sk-1"},
        allow_private=True,
        connect_timeout_s=2.0,
    )


async def call(to: Poster, *, timeout_s: float = 5.0) -> None:
    async with to.post(b"{}", timeout_s=timeout_s, headers={"traceparent": "00-1"}) as answer:
        assert await answer.whole(limit=10) == b"{}"


async def test_a_request_says_what_a_server_needs_to_know() -> None:
    async with running() as (server, port):
        to = poster(port)
        await call(to)
        await to.aclose()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat/completions?tenant=a%20b HTTP/1.1"
    assert {
        f"Host: 127.0.0.1:{port}",
        "Authorization: Bearer sk-1",
        "Content-Length: 2",
        "traceparent: 00-1",
    } <= set(lines)
    assert body == b"{}"


async def test_calls_one_after_the_other_share_a_connection_and_calls_at_once_do_not() -> None:
    async with running() as (server, port):
        to = poster(port)
        for _ in range(3):
            await call(to)
        assert server.connections == 1
        server.hold.clear()
        waiting = [asyncio.create_task(call(to)) for _ in range(3)]
        await server.has(6)
        server.hold.set()
        await asyncio.gather(*waiting)
        assert server.connections == 3
        await to.aclose()


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async with running() as (server, port):
        to = poster(port)
        await call(to)
        [(kept, _)] = to._pool._idle
        for writer in list(server.writers):
            writer.close()
        await kept.lost  # a call that meets the closing half-way fails, as it would anywhere
        await call(to)
        assert server.connections == 2
        await to.aclose()


async def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as (server, port):
        to = poster(port)
        await call(to)
        monkeypatch.setattr("providers.http1.pool._IDLE_S", -1.0)
        await call(to)
        assert server.connections == 2
        await to.aclose()


async def test_over_the_limit_calls_wait_and_give_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.posting.MAX_CONNECTIONS", 1)
    async with running() as (server, port):
        to = poster(port)
        server.hold.clear()
        first = asyncio.create_task(call(to))
        await server.has(1)
        with pytest.raises(ProviderError) as caught:
            await call(to, timeout_s=0.05)
        assert caught.value.kind == FailureKind.TIMEOUT
        second = asyncio.create_task(call(to))
        await asyncio.sleep(0)
        server.hold.set()
        await asyncio.gather(first, second)
        assert server.connections == 1
        await to.aclose()


async def test_closing_ends_calls_under_way_and_refuses_later_ones() -> None:
    async with running() as (server, port):
        to = poster(port)
        server.hold.clear()
        under_way = asyncio.create_task(call(to))
        await server.has(1)
        await to.aclose()
        for attempt in (under_way, asyncio.create_task(call(to))):
            with pytest.raises(ProviderError) as caught:
                await attempt
            assert caught.value.kind == FailureKind.UNAVAILABLE
        server.hold.set()


@pytest.mark.parametrize("value", ["sk-1\r\nX-Injected: 1", "sk-1\n", "sk\x00", "sk\u2028x"])
def test_a_header_that_would_end_its_line_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        Poster(
            url="https://model.example/v1",
            headers={"Authorization": value},
            allow_private=False,
            connect_timeout_s=1,
        )


async def test_over_tls_the_certificate_must_be_trusted_and_bear_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = self_signed(tmp_path, address="127.0.0.1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    async with running(tls) as (server, port):
        stranger = poster(port, scheme="https")
        with pytest.raises(ProviderError) as caught:
            await call(stranger)
        assert caught.value.kind == FailureKind.UNAVAILABLE
        assert "no secure connection" in caught.value.detail
        await stranger.aclose()
        monkeypatch.setattr(dialing, "_tls", lambda: ssl.create_default_context(cafile=file))
        trusted = poster(port, scheme="https")
        await call(trusted)
        await call(trusted)
        assert len(server.requests) == 2
        await trusted.aclose()
        other_name = poster(port, scheme="https", host="localhost")
        with pytest.raises(ProviderError) as caught:
            await call(other_name)
        assert "no secure connection" in caught.value.detail
        await other_name.aclose()


def self_signed(folder: Path, *, address: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "model")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "model.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file
