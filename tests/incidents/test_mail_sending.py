"""Letters through a real mail server, with what servers do to them."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from incidents.models import Delivery
from incidents.notifications.personal.mail import compose
from incidents.notifications.personal.news import News, build
from incidents.notifications.sending import Outcome, Verdict
from incidents.notifications.smtp import parse_email_url, send_letter, why_no_mail
from incidents.services import deliveries
from incidents.services.people import replay_own, send_own_test
from promptstore.core.clock import ManualClock
from promptstore.core.models import AuditEvent, Membership
from tests.cast import Cast
from tests.incidents.mailbox import PASSWORD, USER, Mailbox, mail_server
from tests.incidents.people_cast import give_addresses
from tests.threads import at_once

NEWS = News(
    event="promotion.live",
    at="2026-03-02T09:00:00+00:00",
    actor="Ada Example",
    project="acme",
    url="https://console.example/releases/promotions/1/",
    settings_url="https://console.example/settings/notifications/",
    environment="production",
    feature="assistant",
    release="assistant 1.1.0",
)


def sent(to: str = "ada@acme.example", **changes: Any) -> Outcome:
    fields = {name: getattr(NEWS, name) for name in News.__slots__} | changes
    letter = compose(build(News(**fields)), to=to, message_id="msg_1")

    async def once() -> Outcome:
        return await send_letter(letter, free=asyncio.Semaphore(1))

    return asyncio.run(once())


def test_a_letter_says_what_happened_in_text_and_html_and_where_to_stop_it(mailbox: Mailbox) -> None:
    assert sent() == Outcome(Verdict.DELIVERED, "Handed to the mail server.", 250)
    (letter,) = mailbox.letters
    assert letter["Subject"] == "[acme] assistant 1.1.0 is live in production"
    assert letter["From"] == "Promptstore <promptstore@console.example>"
    assert letter["To"] == "ada@acme.example"
    assert letter["Message-ID"] == "<msg_1@console.example>"
    assert letter["List-Unsubscribe"] == "<https://console.example/settings/notifications/>"
    assert letter["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        body = letter.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert "assistant 1.1.0 is live in production." in text
        assert "https://console.example/releases/promotions/1/" in text
        assert "https://console.example/settings/notifications/" in text


@pytest.mark.parametrize(
    "name",
    [
        "Ada\r\nBcc: everybody@elsewhere.example",
        "Ada\nContent-Type: text/html\n\n<script>",
        "Ada\u2028Bcc: x@y.example",
        "<b>Ada</b> \x00\x1b[2J\u202emoc",
    ],
)
def test_names_put_nothing_into_headers_or_markup(mailbox: Mailbox, name: str) -> None:
    assert sent(actor=name, project=name, release=name).verdict is Verdict.DELIVERED
    (letter,) = mailbox.letters
    assert letter["Bcc"] is None
    assert letter.get_content_type() == "multipart/alternative"
    assert mailbox.recipients == [["ada@acme.example"]]
    html = letter.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "<b>" not in html.get_content()
    assert not set(letter["Subject"]) & set("\r\n\x00\x1b\u2028\u202e")


def test_an_address_cannot_bring_headers_or_further_recipients(mailbox: Mailbox) -> None:
    assert sent("ada@acme.example\r\nBcc: x@elsewhere.example").verdict is Verdict.REFUSED
    assert not mailbox.letters


@pytest.mark.parametrize(
    ("command", "answer", "verdict", "status"),
    [
        ("RCPT", "450 mailbox busy, private words", Verdict.RETRY, 450),
        ("RCPT", "550 no such user, private words", Verdict.REFUSED, 550),
        ("DATA", "451 try later, private words", Verdict.RETRY, 451),
        ("DATA", "554 spam, private words", Verdict.REFUSED, 554),
    ],
)
def test_a_4xx_is_tried_again_and_a_5xx_is_not(
    mailbox: Mailbox, command: str, answer: str, verdict: Verdict, status: int
) -> None:
    mailbox.answers[command] = [answer]
    outcome = sent()
    assert (outcome.verdict, outcome.status) == (verdict, status)
    assert "private words" not in outcome.detail
    assert not mailbox.letters


# The server's library warns that a login needs TLS; it does not see that this connection is encrypted from the start.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_encryption_login_and_certificates(
    encryption: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = {"starttls": "smtp+tls", "tls": "smtps"}[encryption]
    settings.PROMPTSTORE_EMAIL_FROM = "promptstore@console.example"
    with mail_server(directory=tmp_path, **{encryption: True}) as running:
        quoted = PASSWORD.replace(" ", "%20")
        settings.PROMPTSTORE_EMAIL_URL = f"{scheme}://{USER}:{quoted}@127.0.0.1:{running.port}"
        refused = sent()
        assert refused.verdict is Verdict.RETRY
        assert "certificate" in refused.detail

        monkeypatch.setenv("SSL_CERT_FILE", running.certificate)
        assert sent().verdict is Verdict.DELIVERED
        assert (running.signed_in, running.encrypted) == ([USER], [True])

        settings.PROMPTSTORE_EMAIL_URL = f"{scheme}://{USER}:wrong@127.0.0.1:{running.port}"
        wrong = sent()
        assert (wrong.verdict, wrong.status) == (Verdict.RETRY, 535)
        assert "wrong" not in wrong.detail

        settings.PROMPTSTORE_EMAIL_URL = f"{scheme}://127.0.0.1:{running.port}"
        assert sent().verdict is Verdict.RETRY  # it wants a login
        assert len(running.letters) == 1


def test_a_server_without_starttls_gets_neither_letter_nor_password(mailbox: Mailbox, settings: Any) -> None:
    settings.PROMPTSTORE_EMAIL_URL = f"smtp+tls://{USER}:x@127.0.0.1:{mailbox.port}"
    outcome = sent()
    assert outcome.verdict is Verdict.RETRY
    assert "STARTTLS" in outcome.detail
    assert not mailbox.letters


def test_a_server_that_is_away_is_tried_again(settings: Any) -> None:
    settings.PROMPTSTORE_EMAIL_FROM = "promptstore@console.example"
    with mail_server() as running:
        settings.PROMPTSTORE_EMAIL_URL = running.url
    assert sent() == Outcome(Verdict.RETRY, "The mail server cannot be reached: Connection refused.")


def test_a_silent_server_is_left_in_time_and_its_thread_ends(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.notifications.smtp.TIMEOUT_S", 0.3)
    settings.PROMPTSTORE_EMAIL_FROM = "promptstore@console.example"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.PROMPTSTORE_EMAIL_URL = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        assert sent() == Outcome(Verdict.RETRY, "The mail server did not take it within 0.3 seconds.")
    for thread in [one for one in threading.enumerate() if one.name == "letter"]:
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:99999",
        "smtp://user:password@mail.example",
        "smtp://mail.example/path",
        "smtps://mail.example?timeout=1",
    ],
)
def test_a_wrong_url_says_what_to_write(url: str, settings: Any) -> None:
    with pytest.raises(ValueError, match=r"smtp|port"):
        parse_email_url(url)
    settings.PROMPTSTORE_EMAIL_URL, settings.PROMPTSTORE_EMAIL_FROM = url, "promptstore@console.example"
    assert why_no_mail().startswith("PROMPTSTORE_EMAIL_URL cannot be used:")
    assert "password@mail" not in why_no_mail()


def test_ports_and_encryption_follow_from_the_scheme() -> None:
    assert (parse_email_url("smtp://mail.example").port, parse_email_url("smtp://[::1]:2525").port) == (
        25,
        2525,
    )
    starttls, tls = (
        parse_email_url("smtp+tls://a%40b:p%2Fw@mail.example"),
        parse_email_url("smtps://mail.example"),
    )
    assert (starttls.port, starttls.starttls, starttls.tls) == (587, True, False)
    assert (starttls.user, starttls.password) == ("a@b", "p/w")
    assert (tls.port, tls.starttls, tls.tls) == (465, False, True)
    assert "p/w" not in repr(starttls)


@pytest.mark.parametrize(
    "sender", ["", "Promptstore", "Promptstore <", "a@b\nBcc: c@d.example", "x@acme.example, y@acme.example"]
)
def test_an_unset_server_or_an_impossible_sender_is_said(sender: str, settings: Any) -> None:
    assert "PROMPTSTORE_EMAIL_URL" in why_no_mail()
    settings.PROMPTSTORE_EMAIL_URL, settings.PROMPTSTORE_EMAIL_FROM = "smtp://127.0.0.1", sender
    assert "PROMPTSTORE_EMAIL_FROM" in why_no_mail()


def own_test(cast: Cast, role: str = "writer") -> Delivery:
    return send_own_test(actor=cast.actor(role), project_id=cast.project.pk, way="email")


def test_a_busy_server_gets_it_later_by_the_timetable(
    cast: Cast, clock: ManualClock, mailbox: Mailbox
) -> None:
    give_addresses(cast)
    mailbox.answers["DATA"] = ["451 later", "421 later"]
    row = own_test(cast)
    assert deliveries.send_due() == 1
    row.refresh_from_db()
    assert (row.state, row.last_status, row.next_attempt_at) == (
        "pending",
        451,
        clock.now() + timedelta(seconds=5),
    )
    for seconds in (5, 300):
        clock.advance(seconds=seconds)
        assert deliveries.send_due() == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, len(mailbox.letters)) == ("delivered", 3, 1)


def test_a_refused_letter_is_dead_until_its_reader_sends_it_again(
    cast: Cast, clock: ManualClock, mailbox: Mailbox
) -> None:
    give_addresses(cast)
    mailbox.answers["RCPT"] = ["550 unknown"]
    row = own_test(cast)
    deliveries.send_due()
    row.refresh_from_db()
    assert (row.state, row.last_detail) == ("failed", "The mail server refuses this address (550).")
    replay_own(actor=cast.actor("writer"), project_id=cast.project.pk, message_id=row.message_id)
    deliveries.send_due()
    assert mailbox.letters[0]["Message-ID"] == f"<{row.message_id}@console.example>"
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "preference.tested",
        "delivery.replayed",
    ]


def test_whoever_left_gets_no_more_letters(cast: Cast, clock: ManualClock, mailbox: Mailbox) -> None:
    give_addresses(cast)
    row = own_test(cast)
    Membership.objects.filter(user=cast.users["writer"]).update(roles=[])
    deliveries.send_due()
    row.refresh_from_db()
    assert (row.state, row.last_detail) == ("failed", "The person no longer belongs to the project.")
    assert not mailbox.letters


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_letter(cast: Cast, clock: ManualClock, mailbox: Mailbox) -> None:
    give_addresses(cast)
    row = own_test(cast)
    by_id = partial(deliveries.send_delivery, delivery_id=row.pk)
    at_once(by_id, deliveries.send_due, by_id, deliveries.send_due)
    assert len(mailbox.letters) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 1)
