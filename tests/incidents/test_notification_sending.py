from __future__ import annotations

import asyncio
import socket

import pytest

from incidents.notifications import sending
from incidents.notifications.schedule import MAX_ATTEMPTS, WAITS, wait_before_next
from incidents.notifications.sending import Outcome, Outgoing, Verdict
from tests.incidents.receivers import Receiver


def send(url: str, *, allow_private: bool = True) -> Outcome:
    return asyncio.run(sending.send(Outgoing(url=url, headers={}, body=b"{}", allow_private=allow_private)))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "delivered"),
        (202, "delivered"),
        (204, "delivered"),
        (301, "refused"),
        (307, "refused"),
        (400, "refused"),
        (401, "refused"),
        (404, "refused"),
        (410, "gone"),
        (429, "retry"),
        (500, "retry"),
        (503, "retry"),
    ],
)
def test_a_status_means_what_the_specification_says(hook: Receiver, status: int, verdict: str) -> None:
    hook.answer((status, {"Location": hook.url} if 300 <= status < 400 else {}))
    outcome = send(hook.url)
    assert (outcome.verdict, outcome.status) == (verdict, status)
    assert len(hook.received) == 1
    assert "private words" not in outcome.detail


@pytest.mark.parametrize(
    ("said", "seconds"), [("120", 120.0), ("soon", None), ("9" * 40, 86_400.0), ("-1", None)]
)
def test_retry_after_is_read_and_bounded(hook: Receiver, said: str, seconds: float | None) -> None:
    hook.answer((429, {"Retry-After": said}))
    assert send(hook.url).retry_after_s == seconds


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0.0.0.0", "[::]", "224.0.0.1"],
)
def test_metadata_services_are_never_called_in_any_spelling(host: str) -> None:
    outcome = send(f"http://{host}/latest/meta-data/")
    assert outcome.verdict is Verdict.REFUSED
    assert "may not be called" in outcome.detail


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "localhost", "10.0.0.1"]
)
def test_private_addresses_are_refused_in_every_spelling(hook: Receiver, host: str) -> None:
    port = hook.url.rsplit(":", 1)[1]
    outcome = send(f"http://{host}:{port}", allow_private=False)
    assert outcome.verdict is Verdict.REFUSED
    assert hook.received == []


def test_a_receiver_that_is_not_there_is_tried_again_without_its_address_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = send(f"http://127.0.0.1:{taken.getsockname()[1]}/token-in-the-path")
    assert outcome.verdict is Verdict.RETRY
    assert "token" not in outcome.detail


def test_a_receiver_without_tls_is_told_apart(hook: Receiver) -> None:
    outcome = send(hook.url.replace("http:", "https:"))
    assert (outcome.verdict, "TLS handshake" in outcome.detail) == (Verdict.RETRY, True)


def test_a_receiver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        outcome = send(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert (outcome.verdict, outcome.detail) == (Verdict.RETRY, "No answer within 0.2 seconds.")


def test_a_request_does_not_print_what_it_carries() -> None:
    shown = repr(Outgoing(url="https://x/token", headers={"a": "key"}, body=b"secret", allow_private=False))
    assert not any(word in shown for word in ("token", "key", "secret"))


def test_the_schedule_lasts_about_76_hours_and_gives_way_to_retry_after() -> None:
    waits = [wait_before_next(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert (waits[:-1], waits[-1]) == (list(WAITS), None)
    assert 75 < sum(wait.total_seconds() for wait in WAITS) / 3600 < 76
    longer = wait_before_next(1, retry_after_s=600)
    shorter = wait_before_next(3, retry_after_s=1)
    assert longer is not None
    assert (longer.total_seconds(), shorter) == (600, WAITS[2])
