from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from stats.bootstrap import bca_mean, constant_interval, mean_interval
from stats.intervals import wilson

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def drawn(kind: str, n: int) -> list[float]:
    draw = Random(kind)
    make: Callable[[], float] = {
        "uniform": draw.random,
        "skewed": lambda: draw.expovariate(1),
        "beta": lambda: draw.betavariate(8, 2),
        "normal": lambda: draw.gauss(100, 15),
    }[kind]
    return [make() for _ in range(n)]


@pytest.mark.parametrize("kind", ["uniform", "skewed", "beta", "normal"])
@pytest.mark.parametrize("n", [15, 80])
def test_bca_agrees_with_scipy_up_to_the_noise_of_resampling(kind: str, n: int) -> None:
    values = drawn(kind, n)
    reference = bootstrap(
        (np.array(values),), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    found = bca_mean(values, seed=1, resamples=20_000)
    width = reference.high - reference.low
    assert found.lower == pytest.approx(reference.low, abs=0.03 * width)
    assert found.upper == pytest.approx(reference.high, abs=0.03 * width)


def test_the_same_seed_gives_the_same_interval_and_another_a_close_one() -> None:
    values = drawn("beta", 50)
    assert bca_mean(values, seed=7) == bca_mean(values, seed=7)
    assert bca_mean(values, seed=7) != bca_mean(values, seed=8)


def test_95_percent_intervals_hold_the_true_mean_about_that_often() -> None:
    draw = Random(3)
    held = 0
    for _ in range(300):
        found = mean_interval(
            [draw.betavariate(8, 2) for _ in range(30)], low=0, high=1, seed=1, resamples=400
        )
        held += found.lower <= 0.8 <= found.upper
    assert 0.88 <= held / 300 <= 0.99


@given(values=SHARES, seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_mean_and_stays_in_range(values: list[float], seed: int) -> None:
    found = mean_interval(values, low=0, high=1, seed=seed, resamples=200)
    assert 0 <= found.lower <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.upper <= 1


@given(values=st.lists(st.integers(0, 50).map(float), min_size=2, max_size=30), shift=st.integers(-9, 9))
@settings(max_examples=40, deadline=None)
def test_moving_all_values_moves_the_interval(values: list[float], shift: int) -> None:
    assume(len(set(values)) > 1)
    here = bca_mean(values, seed=2, resamples=200)
    there = bca_mean([value + shift for value in values], seed=2, resamples=200)
    assert there.lower == pytest.approx(here.lower + shift, abs=1e-6)
    assert there.upper == pytest.approx(here.upper + shift, abs=1e-6)


def test_values_that_are_all_alike_do_not_make_certain() -> None:
    few = mean_interval([1.0] * 3, low=0, high=1, seed=1)
    many = mean_interval([1.0] * 300, low=0, high=1, seed=1)
    assert few.lower == pytest.approx(wilson(3, 3).lower)
    assert few.upper == 1.0
    assert many.lower > 0.98
    middle = constant_interval(0.0, 30, low=-1, high=1)
    assert middle.lower == -middle.upper < 0
    assert mean_interval([5.0, 5.0], seed=1).upper == 5.0


def test_values_that_differ_by_rounding_alone_count_as_alike() -> None:
    assert mean_interval([0.3, 0.1 + 0.2], low=0, high=1, seed=1).lower < 0.2
    assert bca_mean([0.0, 2e-137], seed=1).upper <= 2e-137


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([], seed=1)
    with pytest.raises(ValueError, match="two different"):
        bca_mean([1.0, 1.0], seed=1)
    with pytest.raises(ValueError, match="confidence"):
        bca_mean([1.0, 2.0], seed=1, confidence=1.0)
    with pytest.raises(ValueError, match="outside"):
        constant_interval(2.0, 3, low=0, high=1)
