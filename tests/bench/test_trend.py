from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.trend import theil_sen

POINTS = range(60)


@settings(deadline=None)
@given(slope=st.floats(-1e6, 1e6), offset=st.floats(-1e9, 1e9))
def test_a_straight_line_has_its_slope(slope: float, offset: float) -> None:
    found = theil_sen(list(POINTS), [offset + slope * x for x in POINTS])
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_a_few_wild_points_move_nothing() -> None:
    y = [100.0 + 2 * x for x in POINTS]
    for wild in (5, 17, 40):
        y[wild] = 1e6
    assert theil_sen(list(POINTS), y).value == pytest.approx(2)


def test_the_interval_of_flat_noise_holds_zero_and_that_of_growth_does_not() -> None:
    draw = random.Random(3)
    noise = [draw.gauss(0, 1) for _ in POINTS]
    flat = theil_sen(list(POINTS), noise)
    assert flat.low < 0 < flat.high
    grown = theil_sen(list(POINTS), [one + 0.2 * x for one, x in zip(noise, POINTS, strict=True)])
    assert grown.low > 0


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2]), ([1, 1, 2], [1, 2, 3]), ([1, 2, 3], [1, 2])])
def test_too_little_to_tell_is_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="three points"):
        theil_sen(x, y)
