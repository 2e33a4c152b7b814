"""A real mail server on loopback that keeps what it takes and answers as told."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "promptstore", "a mail password"


@dataclass
class Mailbox:
    """`answers` replies of the server by command (`RCPT`, `DATA`), used up in order; without one it takes everything."""

    port: int = 0
    certificate: str = ""
    answers: dict[str, list[str]] = field(default_factory=dict)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def _next(self, command: str) -> str:
        waiting = self.answers.get(command, [])
        return waiting.pop(0) if waiting else ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        refusal = self._next("RCPT")
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        refusal = self._next("DATA")
        if refusal:
            return refusal
        found = message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.letters.append(found)
        self.recipients.append(list(envelope.rcpt_tos))
        self.signed_in.append(session.auth_data.decode() if session.auth_data else "")
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=fits, handled=False, auth_data=data.login if fits else None)


class _Server(Controller):
    def _trigger_server(self) -> None:
        """The first connection goes to the port that the system chose."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(
    *, directory: Path | None = None, starttls: bool = False, tls: bool = False
) -> Iterator[Mailbox]:
    """A running server; with encryption it wants the login of `USER`, and its certificate is written into `directory`."""
    kept = Mailbox()
    options: dict[str, Any] = {}
    if starttls or tls:
        assert directory is not None
        context, kept.certificate = _certificate(directory)
        options = {"authenticator": kept.authenticate, "auth_required": True}
        options |= (
            {"ssl_context": context, "auth_require_tls": False}
            if tls
            else {"tls_context": context, "require_starttls": True}
        )
    controller = _Server(kept, hostname="127.0.0.1", port=0, **options)
    controller.start()
    kept.port = controller.port
    try:
        yield kept
    finally:
        controller.stop()


def _certificate(directory: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.fromtimestamp(time.time(), UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = directory / "mail.pem", directory / "mail.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context, str(certificate)
