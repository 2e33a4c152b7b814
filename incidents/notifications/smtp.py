"""One attempt to hand a letter to the instance's mail server (RFC 5321), bounded in time; and where that server is."""

from __future__ import annotations

import asyncio
import ipaddress
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.validators import validate_email

from incidents.notifications.personal.mail import Letter
from incidents.notifications.sending import Outcome, Verdict

# One answer of the server, and the whole attempt with the wait for a free connection.
ANSWER_TIMEOUT_S: Final = 10
TIMEOUT_S: Final = 25.0
# Servers limit what one client opens at once.
MAX_CONNECTIONS: Final = 4
_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in. `starttls` encrypts after the greeting, `tls` from the first byte."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    starttls: bool
    tls: bool


def parse_email_url(url: str) -> MailServer:
    """`smtp+tls://user:password@host:587` (STARTTLS), `smtps://…:465`, or `smtp://host:25` without encryption.

    Raises `ValueError` with what to write instead, also for a password that would cross a network in the clear.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("its port is a number up to 65535") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("write smtp+tls://user:password@host:587, smtps://user:password@host or smtp://host")
    if parts.scheme == "smtp" and parts.password and not _is_here(parts.hostname):
        raise ValueError("use smtp+tls or smtps: a password does not go over a network in the clear")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )


def mail_server() -> MailServer | None:
    """The instance's mail server; `None` where none is configured, or not rightly (`why_no_mail` says what)."""
    try:
        return parse_email_url(settings.PROMPTSTORE_EMAIL_URL) if not why_no_mail() else None
    except ValueError:
        return None


def why_no_mail() -> str:
    """What keeps this instance from sending e-mail, as a sentence that says what to set; empty when nothing does."""
    if not settings.PROMPTSTORE_EMAIL_URL:
        return "No mail server is configured. Whoever runs this instance sets PROMPTSTORE_EMAIL_URL and PROMPTSTORE_EMAIL_FROM."
    if not _is_sender(settings.PROMPTSTORE_EMAIL_FROM):
        return "PROMPTSTORE_EMAIL_FROM is no sender; it looks like Promptstore <promptstore@example.com>."
    try:
        parse_email_url(settings.PROMPTSTORE_EMAIL_URL)
    except ValueError as error:
        return f"PROMPTSTORE_EMAIL_URL cannot be used: {error}."
    return ""


async def send_letter(letter: Letter, *, free: asyncio.Semaphore) -> Outcome:
    """Hand one letter over, once. Never raises for what a server, its name or its network may do.

    `free` counts the connections that may still be opened.
    """
    server = mail_server()
    if server is None:
        return Outcome(Verdict.RETRY, why_no_mail()[:300])
    try:
        async with asyncio.timeout(TIMEOUT_S), free:
            return await _in_thread(server, letter)
    except TimeoutError:
        return Outcome(Verdict.RETRY, f"The mail server did not take it within {TIMEOUT_S:g} seconds.")


async def _in_thread(server: MailServer, letter: Letter) -> Outcome:
    """A thread of its own, because one that hangs may be left behind: its socket's timeouts end it."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Outcome] = loop.create_future()

    def settle(outcome: Outcome) -> None:
        if not answered.done():
            answered.set_result(outcome)

    def work() -> None:
        outcome = _send(server, letter)
        try:
            loop.call_soon_threadsafe(settle, outcome)
        except RuntimeError:
            return  # the loop has ended: nobody waits for this any more

    threading.Thread(target=work, daemon=True, name="letter").start()
    return await answered


def _send(server: MailServer, letter: Letter) -> Outcome:
    backend = EmailBackend(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.starttls,
        use_ssl=server.tls,
        timeout=ANSWER_TIMEOUT_S,
    )
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=settings.PROMPTSTORE_EMAIL_FROM,
        to=[letter.to],
        headers=dict(letter.headers),
        connection=backend,
    )
    message.attach_alternative(letter.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPException as error:
        return _refused(error)
    except ssl.SSLError:
        return Outcome(Verdict.RETRY, "The mail server's TLS handshake or certificate failed.")
    except OSError as error:
        said = error.strerror or type(error).__name__
        return Outcome(Verdict.RETRY, f"The mail server cannot be reached: {said}."[:300])
    except ValueError:
        # Django refuses line breaks in headers and addresses that no mail server could take.
        return Outcome(Verdict.REFUSED, "The e-mail address or the sender cannot be written into a message.")
    return Outcome(Verdict.DELIVERED, "Handed to the mail server.", 250)


def _refused(error: smtplib.SMTPException) -> Outcome:
    """A refusal in words of ours: what a server says may repeat addresses and more."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _ in error.recipients.values()), 0)
        return _judge(code, "The mail server refuses this address")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Outcome(
            Verdict.RETRY, "The mail server lacks what PROMPTSTORE_EMAIL_URL asks for: STARTTLS or a login."
        )
    if not isinstance(error, smtplib.SMTPResponseException):
        return Outcome(Verdict.RETRY, "The mail server broke the connection off.")
    code = error.smtp_code
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = "The mail server refuses the user name or password of PROMPTSTORE_EMAIL_URL"
    elif isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        said = "The mail server turns us away"
    elif code == 530:  # RFC 4954 and 3207: it wants a login or encryption first
        said = "The mail server wants a login or encryption, which PROMPTSTORE_EMAIL_URL does not ask for"
    else:
        return _judge(code, "The mail server refuses this message")
    # A matter of configuration, not of this letter: somebody may put it right.
    return Outcome(Verdict.RETRY, f"{said} ({code}).", code)


def _judge(code: int, said: str) -> Outcome:
    """RFC 5321, 4.2.1: 4yz may be tried again, 5yz not."""
    if 500 <= code < 600:
        return Outcome(Verdict.REFUSED, f"{said} ({code}).", code)
    return Outcome(Verdict.RETRY, f"{said} for now ({code}).", code)


def _is_sender(text: str) -> bool:
    """Whether it is one address, with or without a name, on one line."""
    found = getaddresses([text])
    try:
        validate_email(found[0][1] if len(found) == 1 else "")
    except ValidationError:
        return False
    return text.isprintable()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
