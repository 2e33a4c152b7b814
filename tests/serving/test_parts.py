"""The small pure parts of a node."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core import clock as clocks
from promptstore.core.clock import ManualClock
from promptstore.core.errors import InvalidInput
from releases.routing import Arm
from serving.freshness import Freshness
from serving.http import parse_object, parse_query
from serving.identity import load_identity
from serving.limits import RateLimitedError, RateLimiter
from serving.pins import Pin, Pins
from serving.prepared import etag_matches, strong_etag
from serving.settings import from_environment
from serving.traces import continue_trace


@given(
    environment=st.text(max_size=40),
    feature=st.text(max_size=40),
    arm=st.sampled_from([Arm.STABLE, Arm.CANDIDATE, Arm.SAFE]),
    rollout=st.none() | st.text(max_size=40),
)
def test_a_pin_reads_back_and_no_other_key_reads_it(
    environment: str, feature: str, arm: Arm, rollout: str | None
) -> None:
    pin = Pin(environment, feature, arm, rollout)
    token = Pins(b"k" * 32).issue(pin)
    assert Pins(b"k" * 32).read(token) == (pin if len(token) <= 600 else None)
    assert Pins(b"x" * 32).read(token) is None
    assert Pins(b"k" * 32).read(token[:-2]) is None


@given(st.text(max_size=80))
def test_any_text_is_read_as_no_pin(token: str) -> None:
    assert Pins(b"k" * 32).read(token) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    ],
)
def test_without_a_valid_parent_a_trace_begins_here(header: str | None) -> None:
    span = continue_trace(header)
    assert span.traceparent == f"00-{span.trace_id}-{span.span_id}-01"
    assert span.trace_id != "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_callers_trace_and_its_flags_are_continued() -> None:
    span = continue_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
    assert (span.trace_id, span.flags) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00")
    assert span.span_id != "00f067aa0ba902b7"


def test_the_limiter_lets_a_seconds_worth_through_and_refills_with_time() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)
    for _ in range(3):
        limiter.take(("e", "f"), 3)
    with pytest.raises(RateLimitedError) as caught:
        limiter.take(("e", "f"), 3)
    assert caught.value.extra["retry_after_s"] == pytest.approx(1 / 3)
    limiter.take(("e", "other"), 3)
    now = 0.4
    limiter.take(("e", "f"), 3)
    with pytest.raises(RateLimitedError):
        limiter.take(("e", "f"), 3)
    limiter.take(("e", "f"), 0)


def test_an_etag_is_strong_and_depends_on_every_byte() -> None:
    assert strong_etag(b"a") != strong_etag(b"b")
    assert etag_matches(b'"x", W/"y"', b'"y"')
    assert not etag_matches(b'"x"', b'"y"')


def test_a_node_without_contact_is_stale_since_its_last_one() -> None:
    clock = ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with clocks.use(clock):
        freshness = Freshness()
        assert freshness.stale_since == clock.now()
        freshness.contacted()
        contact = clock.now()
        clock.advance(minutes=5)
        freshness.lost()
        clock.advance(minutes=5)
        freshness.lost()
        assert freshness.stale_since == contact
        freshness.contacted()
        assert freshness.stale_since is None


def test_the_identity_is_made_once_and_derives_from_the_master_key_where_there_is_one(tmp_path: Path) -> None:
    first, second = load_identity(tmp_path / "a"), load_identity(tmp_path / "a")
    other = load_identity(tmp_path / "b")
    assert first.public_key == second.public_key != other.public_key
    assert first.derive("pin") == second.derive("pin") != other.derive("pin")
    shared = [load_identity(tmp_path / name, master_key=b"m" * 32).derive("pin") for name in ("a", "b")]
    assert shared[0] == shared[1]
    assert first.unseal(b"not sealed to anybody") is None


def test_settings_read_secrets_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://x@h/d\n")
    settings = from_environment(
        {"DATABASE_URL_FILE": str(tmp_path / "url"), "NODE_NAME": "n", "PROMPTSTORE_HOME": "/h"}
    )
    assert settings.database_url == "postgresql://x@h/d"
    assert settings.home == Path("/h/serving/n")
    assert (settings.host, settings.port) == ("127.0.0.1", 8001)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_query_or_a_clear_refusal(raw: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        assert all("\x00" not in value for value in parse_query(raw).values())


@given(
    st.binary(max_size=60)
    | st.recursive(st.just(b"1"), lambda inner: inner.map(lambda b: b'{"a":' + b + b"}"))
)
def test_any_bytes_are_an_object_or_a_clear_refusal(raw: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        assert isinstance(parse_object(raw), dict)
