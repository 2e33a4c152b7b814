from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from stats.intervals import newcombe_difference, wilson


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_the_published_examples(
    successes: int, n: int, lower: float, upper: float
) -> None:
    interval = wilson(successes, n)
    assert interval.lower == pytest.approx(lower, abs=5e-5)
    assert interval.upper == pytest.approx(upper, abs=5e-5)


@given(
    data=st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    confidence=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_wilson_agrees_with_scipy_and_stays_within_zero_and_one(
    data: tuple[int, int], confidence: float
) -> None:
    successes, n = data
    interval = wilson(successes, n, confidence=confidence)
    reference = binomtest(successes, n).proportion_ci(confidence_level=confidence, method="wilson")
    assert interval.lower == pytest.approx(reference.low, abs=1e-12)
    assert interval.upper == pytest.approx(reference.high, abs=1e-12)
    assert 0 <= interval.lower <= interval.estimate <= interval.upper <= 1


@pytest.mark.parametrize(
    ("a", "b", "lower", "upper"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_agrees_with_the_published_examples(
    a: tuple[int, int], b: tuple[int, int], lower: float, upper: float
) -> None:
    interval = newcombe_difference(*a, *b)
    assert interval.lower == pytest.approx(lower, abs=5e-5)
    assert interval.upper == pytest.approx(upper, abs=5e-5)


def test_newcombe_of_the_swapped_samples_is_the_mirror_image() -> None:
    there, back = newcombe_difference(12, 1_004, 60, 10_000), newcombe_difference(60, 10_000, 12, 1_004)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower))


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, confidence=confidence)
