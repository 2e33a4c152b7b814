from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core.errors import InvalidInput
from promptstore.core.ids import uuid7
from stats.histogram import LogHistogram
from stats.intervals import wilson
from telemetry.metrics import CATALOGUE, MinuteSeries, chart, metric_by_name, window
from telemetry.metrics.base import Minute
from telemetry.minutes import NO_ROLLOUT, Source, load_minutes
from telemetry.models import Rollup
from tests.cast import Cast
from tests.telemetry.inference_events import AT, DIGEST, event, ingest

NOW = AT.replace(second=0) + timedelta(minutes=10)


def load(
    cast: Cast, *, rollout_id: UUID | None = None, since: datetime = AT - timedelta(hours=1)
) -> MinuteSeries:
    source = Source(cast.production.pk, "config-assistant", rollout_id or NO_ROLLOUT, since)
    return load_minutes([source], until=NOW)[0]


def at(minutes: float) -> str:
    """That many minutes before NOW."""
    return (NOW - timedelta(minutes=minutes)).isoformat()


def test_what_is_called_available_is_what_is_measured() -> None:
    labels = {"judged": 4, "hallucinated": 2, "unsupported": 1, "toned": 5, "tone_off": 1}
    busy = Minute(NOW, 10, 1, 1, 10, 9, 100, 10, 1000, {"1": 10}, **labels)
    measured = {name for name, metric in CATALOGUE.items() if metric.measure([busy]) is not None}
    assert measured == {name for name, metric in CATALOGUE.items() if metric.available}


def test_rates_are_counted_over_the_window_with_wilsons_interval(cast: Cast) -> None:
    ingest(
        [event(at=at(2), status="error", output_valid=None)]
        + [event(at=at(3), policy_hit=True, output_valid=False) for _ in range(2)]
        + [event(at=at(4)) for _ in range(7)]
        + [event(at=at(30), status="error") for _ in range(50)]
    )
    series = load(cast)
    expected = {
        "error_rate": (1, 10),
        "success_rate": (9, 10),
        "policy_filter_rate": (2, 10),
        "output_valid_rate": (7, 9),
        "domain_accuracy": (7, 9),
    }
    for name, (hits, n) in expected.items():
        found = window(series, name, "stable", 600, NOW)
        interval = wilson(hits, n)
        assert found is not None
        assert (found.value, found.n) == (hits / n, n), name
        assert (found.lower, found.upper) == (interval.lower, interval.upper)


def test_means_count_every_request_and_money_stays_in_nano_dollars(cast: Cast) -> None:
    ingest([event(at=at(1), input_tokens=90, output_tokens=10, cost_usd_nanos=5_000) for _ in range(3)])
    ingest([event(at=at(2), input_tokens=0, output_tokens=0, cost_usd_nanos=0)])
    series = load(cast)
    tokens = window(series, "tokens_per_request", "stable", 300, NOW)
    cost = window(series, "cost_per_1k_requests_usd", "stable", 300, NOW)
    assert tokens is not None
    assert (tokens.value, tokens.n, tokens.lower) == (75.0, 4, None)
    assert cost is not None
    assert cost.value == 3_750_000


def test_percentiles_come_from_the_merged_histograms(cast: Cast) -> None:
    ingest([event(at=at(m), latency_ms=100.0 + 10 * n) for m in (1, 2, 3) for n in range(100)])
    series = load(cast)
    for name, true in (("p50_latency_ms", 590), ("p95_latency_ms", 1040), ("p99_latency_ms", 1080)):
        found = window(series, name, "stable", 300, NOW)
        assert found is not None
        assert found.n == 300
        assert abs(found.value - true) <= 0.03 * true, name
    median = window(series, "p50_latency_ms", "stable", 300, NOW)
    assert median is not None
    assert median.lower is not None
    assert median.upper is not None
    assert median.lower < median.value < median.upper


def test_no_sample_no_source_and_no_such_arm_are_none(cast: Cast) -> None:
    ingest([event(at=at(1), output_valid=None), event(at=at(30), arm="candidate")])
    series = load(cast)
    assert window(series, "hallucination_score", "stable", 600, NOW) is None
    assert window(series, "hallucination_rate", "stable", 600, NOW) is None
    assert window(series, "output_valid_rate", "stable", 600, NOW) is None
    assert window(series, "error_rate", "candidate", 600, NOW) is None
    assert window(series, "error_rate", "shadow", 600, NOW) is None
    with pytest.raises(InvalidInput) as refused:
        window(series, "eror_rate", "stable", 600, NOW)
    assert (refused.value.code, refused.value.field) == ("unknown_metric", "metric")


def test_covered_time_begins_with_the_arms_first_call(cast: Cast) -> None:
    ingest([event(at=at(3), arm="candidate"), event(at=at(90)), event(at=at(2))])
    series = load(cast, since=NOW - timedelta(minutes=10))
    young, old = (window(series, "error_rate", arm, 600, NOW) for arm in ("candidate", "stable"))
    assert young is not None
    assert young.covered_s == 180
    # A quiet arm is not a young one: its first call lies before the window and before the series.
    assert old is not None
    assert (old.covered_s, old.n) == (600, 1)


def test_a_window_takes_the_minute_it_begins_in_and_nothing_after_now(cast: Cast) -> None:
    ingest([event(at=at(m)) for m in (0.5, 1.5, 2.5)])
    series = load(cast)
    now = NOW - timedelta(seconds=45)

    def samples(seconds: int, moment: datetime) -> int:
        found = window(series, "error_rate", "stable", seconds, moment)
        return found.n if found else 0

    assert samples(10, now) == 1
    assert samples(60, now) == 2
    assert samples(60, NOW - timedelta(minutes=2, seconds=10)) == 1
    assert samples(60, NOW - timedelta(minutes=5)) == 0


def test_rollouts_environments_and_features_are_kept_apart_in_two_queries(
    cast: Cast, count_queries: Any
) -> None:
    rollout = uuid7()
    ingest(
        [
            event(at=at(1), rollout_id=str(rollout), arm="candidate", release_digest="sha256:" + "b" * 64),
            event(at=at(1), rollout_id=str(rollout)),
            event(at=at(1)),
            event(at=at(1), environment="staging"),
            event(at=at(1), feature="other"),
        ]
    )
    with count_queries() as seen:
        series = load(cast, rollout_id=rollout)
        assert len(seen) == 2
    assert series.releases_of("candidate") == ["sha256:" + "b" * 64]
    assert series.releases_of("stable") == [DIGEST]
    assert [len(found.minutes) for found in load(cast).arms.values()] == [1]
    outside = window(load(cast), "error_rate", "stable", 600, NOW)
    assert outside is not None
    assert outside.n == 1


def test_a_chart_shows_gaps_as_gaps_and_counts_beside_values(cast: Cast) -> None:
    ingest(
        [event(at=at(5), policy_hit=True), event(at=at(5)), event(at=at(3), arm="candidate"), event(at=at(1))]
    )
    drawn = chart(load(cast), "policy_filter_rate", ["candidate", "stable"])
    assert drawn["unit"] == "percent"
    assert drawn["x"] == [int((NOW - timedelta(minutes=m)).timestamp()) for m in (5, 4, 3, 2, 1)]
    candidate, stable = drawn["series"]
    assert candidate["key"] == "candidate"
    assert candidate["values"] == [None, None, 0.0, None, None]
    assert (stable["label"], stable["values"], stable["counts"]) == (
        "Stable",
        [0.5, None, None, None, 0.0],
        [2, 0, 0, 0, 1],
    )
    assert stable["low"][0] < 0.5 < stable["high"][0]


def test_a_long_chart_is_measured_in_coarser_steps_not_averaged(cast: Cast) -> None:
    begin = NOW - timedelta(hours=20)
    Rollup.objects.bulk_create(
        Rollup(
            project=cast.project,
            environment=cast.production,
            feature="config-assistant",
            rollout_id=UUID(int=0),
            release_digest=DIGEST,
            arm="stable",
            minute=begin + timedelta(minutes=n),
            count=1 if n % 2 else 9,
            errors=n % 2,
            latency_histogram=LogHistogram.of([100.0]).to_json(),
        )
        for n in range(1200)
    )
    drawn = chart(load(cast, since=begin), "error_rate", ["stable"])
    assert len(drawn["x"]) == 240
    assert sum(drawn["series"][0]["counts"]) == 600 * 10
    hits = sum(v * n for v, n in zip(drawn["series"][0]["values"], drawn["series"][0]["counts"], strict=True))
    assert round(hits) == 600


def test_a_chart_with_a_rules_window_shows_what_the_rule_saw(cast: Cast) -> None:
    ingest([event(at=at(m), status="error" if m == 4 else "ok") for m in range(1, 9)])
    drawn = chart(load(cast), "error_rate", ["stable"], window_s=180)
    assert drawn["series"][0]["values"] == [0, 0, 0, 0, 1 / 3, 1 / 3, 1 / 3, 0]
    assert drawn["series"][0]["counts"] == [1, 2, 3, 3, 3, 3, 3, 3]


def test_an_empty_chart_has_a_line_without_points_for_each_arm(cast: Cast) -> None:
    drawn = chart(load(cast), "p95_latency_ms", ["candidate"])
    assert drawn == {
        "unit": "ms",
        "x": [],
        "series": [{"key": "candidate", "label": "Candidate", "values": [], "counts": []}],
    }


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60), st.integers(1, 5))
def test_splitting_samples_over_minutes_changes_no_percentile(latencies: list[float], parts: int) -> None:
    def minute(values: list[float]) -> Minute:
        histogram = LogHistogram.of(values).to_json()
        return Minute(NOW, len(values), 0, 0, 0, 0, 0, 0, 0, histogram)

    metric = metric_by_name("p95_latency_ms")
    assert metric.measure([minute(latencies)]) == metric.measure(
        [minute(latencies[i::parts]) for i in range(parts)]
    )
