from __future__ import annotations

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from releases.routing import TOTAL_BP, Arm, OnWithdraw, RouteReason, Routing, bucket, route, scale

units = st.text(min_size=1, max_size=40)
weights = st.integers(0, TOTAL_BP)


def routing(
    candidate_bp: int = 200,
    withdrawn_bp: int = 0,
    on_withdraw: OnWithdraw = OnWithdraw.SAFE_MODE,
    stable: str | None = "1.0.0",
    salt: str = "s1",
) -> Routing:
    return Routing(salt, candidate_bp, withdrawn_bp, on_withdraw, candidate="1.1.0", stable=stable)


def unit_in(low: int, high: int) -> str:
    return next(f"u{i}" for i in range(100_000) if low <= bucket("s1", f"u{i}") < high)


@pytest.mark.parametrize(
    ("key", "hash_value"),
    # The public test vectors of MurmurHash3_x86_32 with seed 0.
    [
        ("", 0),
        ("test", 0xBA6BD213),
        ("Hello, world!", 0xC0363E43),
        ("The quick brown fox jumps over the lazy dog", 0x2E4FF723),
    ],
)
def test_the_hash_is_murmur3_x86_32(key: str, hash_value: int) -> None:
    assert scale(key, 1 << 32) == hash_value == mmh3.hash(key, signed=False)


@pytest.mark.parametrize(
    ("key", "total", "low", "high"),
    # flagd's conformance suite, version 2: four suits of 25, then two halves at hash edges.
    [
        ("fractional-flagjack", 100, 50, 75),
        ("fractional-flagqueen", 100, 75, 100),
        ("fractional-flagten", 100, 0, 25),
        ("fractional-flagnine", 100, 25, 50),
        ("fractional-flag3", 100, 0, 25),
        ("shared-seedseven", 100, 50, 75),
        ("shared-seedeight", 100, 25, 50),
        ("shared-seednine", 100, 0, 25),
        ("shared-seedtwo", 100, 75, 100),
        ("ejOoVL", 100, 0, 50),
        ("bY9fO-", 100, 0, 50),
        ("SI7p-", 100, 0, 50),
        ("6LvT0", 100, 50, 100),
        ("ceQdGm", 100, 50, 100),
    ],
)
def test_buckets_agree_with_flagd_version_two(key: str, total: int, low: int, high: int) -> None:
    assert low <= scale(key, total) < high


@pytest.mark.parametrize(
    ("salt", "unit", "expected"),
    # Frozen: a change here would move live traffic between arms.
    [
        ("rollout-1", "user-1", 2035),
        ("rollout-1", "user-2", 4291),
        ("rollout-2", "user-1", 4093),
        ("s", "ünït", 8355),
    ],
)
def test_a_unit_keeps_its_bucket_for_ever(salt: str, unit: str, expected: int) -> None:
    assert bucket(salt, unit) == expected


@given(st.text(max_size=20), units)
def test_a_bucket_is_a_whole_number_below_the_total(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < TOTAL_BP


@given(units, weights, weights)
def test_a_unit_that_is_in_at_a_low_weight_stays_in_at_a_higher_one(unit: str, a: int, b: int) -> None:
    low, high = sorted((a, b))
    if route(routing(low), unit)[0] is Arm.CANDIDATE:
        assert route(routing(high), unit)[0] is Arm.CANDIDATE


@given(units)
def test_a_unit_comes_in_with_the_first_weight_above_its_bucket(unit: str) -> None:
    own = bucket("s1", unit)
    assert route(routing(own), unit)[0] is Arm.STABLE
    assert route(routing(own + 1), unit)[0] is Arm.CANDIDATE
    assert route(routing(0, own), unit)[1] is RouteReason.STATIC
    assert route(routing(0, own + 1), unit)[1] is RouteReason.WITHDRAWN


@given(units, units, weights)
def test_units_leave_in_the_reverse_order_in_which_they_came(first: str, second: str, weight: int) -> None:
    early, late = sorted((first, second), key=lambda unit: bucket("s1", unit))
    if route(routing(weight), late)[0] is Arm.CANDIDATE:
        assert route(routing(weight), early)[0] is Arm.CANDIDATE


@given(units, weights, weights)
def test_only_units_that_have_seen_the_candidate_are_withdrawn(unit: str, a: int, b: int) -> None:
    now, before = sorted((a, b))
    had_candidate = route(routing(before), unit)[0] is Arm.CANDIDATE
    arm, reason = route(routing(now, before), unit)
    assert (reason is RouteReason.WITHDRAWN) == (had_candidate and arm is not Arm.CANDIDATE)


@pytest.mark.parametrize("salt", ["a", "rollout-1", "0198a3"])
def test_buckets_are_uniform(salt: str) -> None:
    n, cells = 50_000, 100
    counts = [0] * cells
    for i in range(n):
        counts[bucket(salt, f"user-{i}") * cells // TOTAL_BP] += 1
    statistic = sum((count - n / cells) ** 2 / (n / cells) for count in counts)
    assert statistic < chi2.ppf(0.999, cells - 1)


def test_another_salt_shuffles_the_units_anew() -> None:
    chosen = [f"user-{i}" for i in range(20_000) if bucket("a", f"user-{i}") < 1_000]
    again = sum(bucket("b", unit) < 1_000 for unit in chosen)
    assert again / len(chosen) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("unit", [None, ""])
def test_a_call_without_a_unit_gets_stable_even_when_the_candidate_has_all_traffic(unit: str | None) -> None:
    assert route(routing(10_000), unit) == (Arm.STABLE, RouteReason.NO_UNIT)


def test_a_withdrawn_unit_gets_safe_mode_or_stable_as_the_config_says() -> None:
    unit = unit_in(100, 200)
    assert route(routing(100, 200), unit) == (Arm.SAFE, RouteReason.WITHDRAWN)
    assert route(routing(100, 200, OnWithdraw.STABLE), unit) == (Arm.STABLE, RouteReason.WITHDRAWN)


def test_a_withdrawn_unit_gets_safe_mode_when_the_setting_is_a_plain_string() -> None:
    plain = Routing("s1", 100, 200, "safe_mode", "1.1.0", "1.0.0")  # type: ignore[arg-type]
    assert route(plain, unit_in(100, 200))[0] is Arm.SAFE


def test_units_outside_the_weight_get_stable() -> None:
    assert route(routing(200), unit_in(200, 10_000)) == (Arm.STABLE, RouteReason.SPLIT)
    assert route(routing(0), "anybody") == (Arm.STABLE, RouteReason.STATIC)


def test_before_anything_is_live_the_other_arm_is_safe_mode() -> None:
    first = routing(200, stable=None)
    assert route(first, unit_in(0, 200)) == (Arm.CANDIDATE, RouteReason.SPLIT)
    assert route(first, unit_in(200, 10_000)) == (Arm.SAFE, RouteReason.NO_STABLE)
    assert route(first, None) == (Arm.SAFE, RouteReason.NO_UNIT)
    withdrawn = routing(0, 200, OnWithdraw.STABLE, stable=None)
    assert route(withdrawn, unit_in(0, 200)) == (Arm.SAFE, RouteReason.WITHDRAWN)


def test_a_unit_with_a_lone_surrogate_is_routed_like_any_other() -> None:
    assert route(routing(10_000), "\ud800") == (Arm.CANDIDATE, RouteReason.SPLIT)


def test_impossible_routings_are_refused() -> None:
    for candidate_bp, withdrawn_bp in ((-1, 0), (10_001, 0), (0, 10_001)):
        with pytest.raises(ValueError, match="weights"):
            routing(candidate_bp, withdrawn_bp)
    with pytest.raises(ValueError, match="needs a candidate"):
        Routing("s", 1, 0, OnWithdraw.STABLE, candidate=None, stable="1.0.0")
