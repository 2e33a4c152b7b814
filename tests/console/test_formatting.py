from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.console.formatting import durations, money, numbers, times
from promptstore.console.formatting.digests import short_digest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def spaced(text: str) -> str:
    """Non-breaking spaces as ordinary ones, to read the expectations."""
    return text.replace(numbers.NBSP, " ")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.count(1504), "1,504"),
        (numbers.count(0), "0"),
        (numbers.units(1, "entry,entries"), "1 entry"),
        (numbers.units(1504, "call"), "1,504 calls"),
        (numbers.percent(0.008), "0.8 %"),
        (numbers.percent(0.00004), "0.004 %"),
        (numbers.percent(0.1234), "12.3 %"),
        (numbers.percent(0), "0 %"),
        (numbers.percent(1), "100 %"),
        (numbers.percent(0.5, 2), "50.00 %"),
        (numbers.basis_points(200), "2 %"),
        (numbers.basis_points(25), "0.25 %"),
        (numbers.rate(12, 1504), "0.8 % · 12 of 1,504"),
        (numbers.rate(0, 0), "no data"),
        (numbers.rate(None, 5), "no data"),
        (numbers.signed(numbers.percent(0.004)), "+0.4 %"),
        (numbers.signed(numbers.percent(-0.004)), "−0.4 %"),
        (numbers.signed(numbers.percent(0)), "0 %"),
        (numbers.signed(numbers.DASH), "–"),
        (numbers.file_size(2048), "2 KB"),
        (money.money(4_200_000), "$0.0042"),
        (money.money(12_600_000), "$0.013"),
        (money.money(50_000_000), "$0.05"),
        (money.money(1_234_500_000_000), "$1,234.50"),
        (money.money(-3_820_000_000), "−$3.82"),
        (money.money(0), "$0.00"),
        (money.money(1), "$0.000000001"),
        (durations.duration(7500), "2 h 5 min"),
        (durations.duration(90_061), "1 d 1 h"),
        (durations.duration(0), "0 s"),
        (durations.duration(1.24), "1.2 s"),
        (durations.duration(timedelta(seconds=372)), "6 min 12 s"),
        (durations.duration(-60), "−1 min"),
        (durations.duration_ms(420), "420 ms"),
        (durations.duration_ms(1240), "1.2 s"),
        (durations.duration_ms(0.34), "0.3 ms"),
        (durations.duration_ms(0), "0 ms"),
    ],
)
def test_values_read_as_people_write_them(shown: str, expected: str) -> None:
    assert spaced(shown) == expected


@pytest.mark.parametrize(
    "shown",
    [
        numbers.count(None),
        numbers.units(None, "call"),
        numbers.percent(None),
        numbers.basis_points(None),
        numbers.percent(float("nan")),
        money.money(None),
        durations.duration(None),
        durations.duration_ms(None),
        numbers.file_size(None),
    ],
)
def test_what_is_unknown_is_a_dash(shown: str) -> None:
    assert shown == numbers.DASH


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"seconds": 2}, "just now"),
        ({"seconds": 42}, "42 s ago"),
        ({"minutes": 3}, "3 min ago"),
        ({"hours": 5}, "5 h ago"),
        ({"days": 2}, "2 d ago"),
        ({"minutes": -8}, "in 8 min"),
        ({"days": 90}, "2 Dec 2025"),
    ],
)
def test_moments_are_relative_until_they_are_old(delta: dict[str, Any], expected: str) -> None:
    assert spaced(times.relative(NOW - timedelta(**delta), now=NOW)) == expected


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_can_be_shown(value: float) -> None:
    assert numbers.percent(value)
    assert numbers.count(value)


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_any_amount_can_be_shown(nanos: int) -> None:
    assert "$" in money.money(nanos)


@given(st.integers(min_value=1, max_value=10**9))
def test_a_duration_has_at_most_two_units(seconds: int) -> None:
    assert 1 <= len(spaced(durations.duration(seconds)).split(" ")) / 2 <= 2


def test_a_digest_is_short_and_a_plain_id_stays_itself() -> None:
    assert short_digest("sha256:4f2c9a7be01d5c83f6a2") == "4f2c9a7be01d"
    assert short_digest("abc") == "abc"
