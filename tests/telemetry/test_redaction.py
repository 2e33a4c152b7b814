from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.redaction import redact, redact_value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to anna.berg+x@mail.example.org.", "email"),
        ("jürgen@bücher.example", "email"),
        ("a" * 300 + "@example.com", "email"),
        ("card 4111 1111 1111 1111 exp 12/29", "card"),
        ("ref 12 4111-1111-1111-1111", "card"),
        ("card5500005555555559", "card"),
        ("pay DE89 3704 0044 0532 0130 00 AND MORE", "iban"),
        ("gb82west12345698765432", "iban"),
        ("NL91ABNA0417164300", "iban"),
        ("host 192.168.17.4 is down", "ipv4"),
        ("call +49 (30) 1234-5678", "phone"),
        ("call (555) 123-4567 now", "phone"),
        ("030 1234 5678", "phone"),
        ("key sk-proj-abcDEF0123456789abcDEF", "secret"),
        ("ps_" + "A" * 43, "secret"),
        ("AKIAIOSFODNN7EXAMPLE", "secret"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF", "secret"),
        ('password: "correct horse"', "secret"),
        ("api_key=0123456789abcdef", "secret"),
        ("Authorization: Bearer abcdefghijklmnop1234", "secret"),
        ("postgresql://app:hunter2@db/prod", "secret"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest", "private_key"),
        ("-----BEGIN PRIVATE KEY-----\nnever ends", "private_key"),
    ],
)
def test_a_secret_is_replaced_by_its_kind(text: str, kind: str) -> None:
    clean, counts = redact(text)
    assert f"[redacted:{kind}]" in clean
    assert counts[kind] == 1


@pytest.mark.parametrize(
    "text",
    [
        "max_connections = 200",
        "on 2024-01-15 10:20 at 127.0.0.1:5432",
        "1234567890123456 is no card",
        "DE00 3704 0044 0532 0130 00 has a wrong checksum",
        "version 1.2.3 of pi 3.14159265358979",
        "sha256:0a1b2c3d",
        "set tokens: 12",
        "300.1.1.1 is no address",
        "the token count, 8 of 10",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == (text, {})


def test_two_findings_are_both_replaced_and_counted() -> None:
    clean, counts = redact("a@b.example, c@d.example")
    assert clean == "[redacted:email], [redacted:email]"
    assert counts == {"email": 2}


def test_text_is_cut_to_the_cap_and_a_secret_across_the_cap_does_not_survive() -> None:
    clean, _ = redact("x" * 90 + " 4111111111111111 tail", max_chars=100)
    assert len(clean) <= 100
    assert "4111" not in clean


def test_values_are_redacted_at_every_depth_keys_and_numbers_included() -> None:
    value = {
        "user": {"mail": "a@b.example", "list": ["call +49 30 12345678"]},
        "c@d.example": 4111111111111111,
        "n": 5,
    }
    clean, counts = redact_value(value)
    assert clean == {
        "user": {"mail": "[redacted:email]", "list": ["call [redacted:phone]"]},
        "[redacted:email]": "[redacted:card]",
        "n": 5,
    }
    assert counts == {"email": 2, "phone": 1, "card": 1}


def test_a_value_under_a_secret_name_is_redacted_whatever_it_looks_like() -> None:
    assert redact_value({"password": "hunter2!", "note": "hunter"})[0] == {
        "password": "[redacted:secret]",
        "note": "hunter",
    }


def test_huge_and_deep_values_are_cut() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    assert "[truncated]" in str(redact_value(deep)[0])
    clean, _ = redact_value({"t": ["y" * 1000] * 100}, max_chars=5000)
    assert len(str(clean)) < 8000


@given(st.text())
def test_any_text_is_redacted_without_error_and_again_without_change(text: str) -> None:
    clean, _ = redact(text)
    assert redact(clean)[0] == clean
    clean.encode("utf-8")


@given(st.text(alphabet="0123456789 +-.()@abcDE:/=_\n\"'", max_size=200))
def test_redaction_is_idempotent_on_dense_input(text: str) -> None:
    clean, _ = redact(text)
    again, _ = redact(clean)
    assert again == clean


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "a.",
        "eyJ",
        "eyJa.",
        "-----BEGIN PRIVATE KEY",
        "password: ",
        "DE12",
        "://a:",
        "@",
        "a@",
        "+1 (",
        "sk-",
        "1.",
        "bearer ",
    ],
)
def test_time_is_linear_in_hostile_repetition(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        best = 1e9
        for _ in range(3):
            started = time.thread_time()  # of this thread alone: what else the machine does is nobody's fault
            redact(text, max_chars=length)
            best = min(best, time.thread_time() - started)
        return best

    # Eight times the text may cost four times that where caches are cold; quadratic would be eight times it, and grow.
    small, large = seconds(20_000), seconds(160_000)
    assert large < max(small, 0.002) * 8 * 4
