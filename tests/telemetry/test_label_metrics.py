"""What people found, counted into rollups: metrics of labels, and every other metric left as it was."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from promptstore.core.ids import uuid7
from stats.intervals import wilson
from telemetry.labels import ArmOf, Finding, count_finding
from telemetry.metrics import CATALOGUE, MinuteSeries, metric_by_name, window
from telemetry.metrics.base import Category, Minute
from telemetry.minutes import Source, load_minutes
from telemetry.models import Rollup
from tests.cast import Cast
from tests.telemetry.inference_events import AT, DIGEST, event, ingest

NOW = AT.replace(second=0) + timedelta(minutes=90)
ROLLOUT = uuid7()
SUPPORTED = Finding(hallucinated=False, unsupported=False, tone_off=False)
PARTLY = Finding(hallucinated=True, unsupported=False, tone_off=False)
UNSUPPORTED = Finding(hallucinated=True, unsupported=True, tone_off=True)
CANNOT_TELL = Finding(hallucinated=None, unsupported=False, tone_off=True)


def found(cast: Cast, *findings: Finding, at: datetime = NOW, arm: str = "candidate") -> None:
    """Each of these settled at `at`."""
    of = ArmOf(cast.project.pk, cast.production.pk, "config-assistant", ROLLOUT, DIGEST, arm)
    for one in findings:
        count_finding(of=of, found=one, settled_at=at)


def load(cast: Cast) -> MinuteSeries:
    source = Source(cast.production.pk, "config-assistant", ROLLOUT, AT - timedelta(hours=1))
    return load_minutes([source], until=NOW)[0]


def test_rates_of_labels_have_their_own_samples_and_wilsons_interval(cast: Cast) -> None:
    ingest([event(rollout_id=str(ROLLOUT), arm="candidate") for _ in range(40)])
    found(cast, SUPPORTED, PARTLY, UNSUPPORTED, CANNOT_TELL)
    series = load(cast)
    for name, hits, n in (("hallucination_rate", 2, 3), ("tone_off_rate", 2, 4)):
        rate, interval = window(series, name, "candidate", 3_600, NOW), wilson(hits, n)
        assert rate is not None
        assert (rate.value, rate.n, rate.lower, rate.upper) == (hits / n, n, interval.lower, interval.upper)
    score = window(series, "hallucination_score", "candidate", 3_600, NOW)
    assert score is not None
    assert (score.value, score.n, score.lower) == (0.5, 3, None)
    assert window(series, "hallucination_rate", "stable", 3_600, NOW) is None


def test_a_label_counts_when_it_is_known_however_old_its_answer_is(cast: Cast) -> None:
    ingest([event(rollout_id=str(ROLLOUT), arm="candidate")])
    found(cast, UNSUPPORTED, at=NOW - timedelta(minutes=5))
    lately = window(load(cast), "hallucination_rate", "candidate", 600, NOW)
    assert lately is not None
    assert (lately.value, lately.n, lately.covered_s) == (1.0, 1, 600)


def test_a_minute_of_labels_alone_leaves_every_other_metric_as_it_was(cast: Cast) -> None:
    ingest([event(rollout_id=str(ROLLOUT), arm="candidate", latency_ms=80.0 + n) for n in range(20)])
    others = [name for name, metric in CATALOGUE.items() if metric.category is not Category.LABELS]

    def measured() -> list[object]:
        series = load(cast)
        return [window(series, name, "candidate", 2 * 3_600, NOW) for name in others]

    before = measured()
    found(cast, *[UNSUPPORTED] * 7)
    assert measured() == before
    alone = window(load(cast), "error_rate", "candidate", 600, NOW)
    assert alone is None, "nobody called in the last ten minutes"


def test_labels_and_calls_of_one_minute_share_a_row_whichever_comes_first(cast: Cast) -> None:
    found(cast, PARTLY, at=AT)
    ingest([event(rollout_id=str(ROLLOUT), arm="candidate") for _ in range(3)])
    found(cast, SUPPORTED, at=AT)
    ingest([event(rollout_id=str(ROLLOUT), arm="candidate")])
    row = Rollup.objects.get()
    assert (row.count, row.judged, row.hallucinated, row.toned) == (4, 2, 1, 2)
    assert sum(row.latency_histogram.values()) == 4


def test_a_finding_that_says_nothing_leaves_no_row(cast: Cast) -> None:
    found(cast, Finding(hallucinated=None, unsupported=False, tone_off=None))
    assert not Rollup.objects.exists()


_steps = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=60)


@given(_steps, st.integers(1, 5))
def test_the_score_is_the_mean_of_the_labels_however_they_spread_over_minutes(
    labels: list[float], parts: int
) -> None:
    def minute(some: list[float]) -> Minute:
        bad, worst = sum(label > 0 for label in some), some.count(1.0)
        return Minute(NOW, 0, 0, 0, 0, 0, 0, 0, 0, {}, judged=len(some), hallucinated=bad, unsupported=worst)

    minutes = [minute(labels[part::parts]) for part in range(parts)]
    score = metric_by_name("hallucination_score").measure(minutes)
    rate = metric_by_name("hallucination_rate").measure(minutes)
    assert score is not None
    assert rate is not None
    assert abs(score.value - sum(labels) / len(labels)) < 1e-12
    assert score.value <= rate.value <= 2 * score.value
