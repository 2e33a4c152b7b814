"""Reading a feature's minutes: first minutes before the span, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from telemetry.metrics import MinuteSeries
from telemetry.metrics.series import ArmKey
from telemetry.minutes import NO_ROLLOUT, Source, load_minutes
from telemetry.models import Rollup
from tests.cast import Cast
from tests.telemetry.inference_events import AT

NOW = AT.replace(second=0)


def fill(cast: Cast, *, releases: int, minutes: int) -> None:
    """`minutes` minutes up to NOW for each of `releases` releases; release 0 began one minute earlier than 1, and so on."""
    Rollup.objects.bulk_create(
        Rollup(
            project=cast.project, environment=cast.production, feature="assistant", rollout_id=NO_ROLLOUT,
            release_digest=f"sha256:{release}", arm="stable", minute=NOW - timedelta(minutes=ago), count=1,
        )
        for release in range(releases)
        for ago in range(minutes - release)
    )  # fmt: skip


def load(cast: Cast, *, back: timedelta) -> MinuteSeries:
    return load_minutes([Source(cast.production.pk, "assistant", NO_ROLLOUT, NOW - back)], until=NOW)[0]


@pytest.mark.parametrize(("releases", "minutes"), [(1, 20), (3, 300)])
def test_two_queries_whatever_the_span_and_the_releases(
    cast: Cast, count_queries: Callable[[], Any], releases: int, minutes: int
) -> None:
    fill(cast, releases=releases, minutes=minutes)
    with count_queries() as seen:
        series = load(cast, back=timedelta(days=400))
    assert len(seen) == 2
    assert len(series.minutes_of("stable")) == sum(minutes - release for release in range(releases))


def test_a_first_minute_lies_before_the_span(cast: Cast) -> None:
    fill(cast, releases=2, minutes=60)
    series = load(cast, back=timedelta(minutes=5))
    firsts = {key: found.first for key, found in series.arms.items()}
    assert firsts == {
        ArmKey("sha256:0", "stable"): NOW - timedelta(minutes=59),
        ArmKey("sha256:1", "stable"): NOW - timedelta(minutes=58),
    }


def test_nothing_measured_is_one_query_and_an_empty_series(
    cast: Cast, count_queries: Callable[[], Any]
) -> None:
    with count_queries() as seen:
        series = load(cast, back=timedelta(hours=1))
    assert (len(seen), dict(series.arms)) == (1, {})
