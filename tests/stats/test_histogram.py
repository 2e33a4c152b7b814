from __future__ import annotations

import json
from math import floor, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.histogram import RELATIVE_ACCURACY, ZERO_INDEX, LogHistogram

values = st.floats(min_value=1e-6, max_value=1e12) | st.just(0.0)
histograms = st.lists(values, max_size=30).map(LogHistogram.of)


@given(st.lists(values, min_size=1, max_size=200), st.floats(0, 1))
def test_every_quantile_is_within_two_percent_of_the_true_one(samples: list[float], q: float) -> None:
    truth = sorted(samples)[floor(q * (len(samples) - 1))]
    estimate = LogHistogram.of(samples).quantile(q)
    assert estimate is not None
    assert abs(estimate - truth) <= RELATIVE_ACCURACY * truth * (1 + 1e-9)


@given(histograms, histograms, histograms)
def test_merging_is_associative_and_commutative(a: LogHistogram, b: LogHistogram, c: LogHistogram) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b) == b.merge(a)


@given(st.lists(values, max_size=50), st.lists(values, max_size=50))
def test_merging_equals_counting_everything_at_once(left: list[float], right: list[float]) -> None:
    merged = LogHistogram.of(left).merge(LogHistogram.of(right))
    assert merged == LogHistogram.of(left + right)
    assert merged.count == len(left) + len(right)


@given(histograms)
def test_json_keeps_everything_under_whole_number_keys(histogram: LogHistogram) -> None:
    text = json.dumps(histogram.to_json())
    assert LogHistogram.from_json(json.loads(text)) == histogram
    assert all(str(int(key)) == key for key in json.loads(text))


def test_merging_leaves_both_sides_as_they_were() -> None:
    a, b = LogHistogram.of([1.0]), LogHistogram.of([1.0, 2.0])
    a.merge(b)
    assert (a.count, b.count) == (1, 2)


def test_zero_has_a_bucket_of_its_own_below_all_others() -> None:
    histogram = LogHistogram.of([0.0, 0.0, 5.0])
    assert histogram.to_json()[str(ZERO_INDEX)] == 2
    assert histogram.quantile(0) == 0.0
    assert histogram.quantile(0.5) == 0.0
    assert histogram.quantile(1) == pytest.approx(5.0, rel=RELATIVE_ACCURACY)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert LogHistogram().quantile(0.95) is None


def test_a_value_can_be_counted_many_times_at_once() -> None:
    histogram = LogHistogram()
    histogram.add(3.0, 7)
    assert histogram == LogHistogram.of([3.0] * 7)


@pytest.mark.parametrize("value", [-1.0, nan, inf, 1e19])
def test_values_without_a_bucket_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="takes values"):
        LogHistogram().add(value)


@pytest.mark.parametrize(
    "document", [{"x": 1}, {"+1": 1}, {"1": 0}, {"1": -2}, {"1": 1.5}, {"1": True}, {"999999999": 1}]
)
def test_json_that_no_histogram_wrote_is_refused(document: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        LogHistogram.from_json(document)


def test_a_quantile_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        LogHistogram.of([1.0]).quantile(95)
