from __future__ import annotations

import json
import random
import threading
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from promptstore.core.ids import uuid7
from stats.histogram import ZERO_INDEX, LogHistogram, bucket_index
from telemetry import ingest_sql
from telemetry.minutes import NO_ROLLOUT
from telemetry.models import Inference, Rollup
from tests.cast import Cast, make_cast
from tests.telemetry.inference_events import AT, event, ingest


def test_a_batch_becomes_rows_and_one_rollup_per_arm_and_minute(cast: Cast) -> None:
    rollout = str(uuid7())
    events = [event(latency_ms=n, output_valid=n % 2 == 0) for n in (10.0, 21.0, 30.0)]
    events += [event(arm="candidate", rollout_id=rollout, status="error", policy_hit=True, output_valid=None)]
    assert ingest(events) == (4, 4, 2)
    stable = Rollup.objects.get(arm="stable")
    assert (stable.count, stable.errors, stable.policy_hits, stable.validated, stable.valid) == (
        3,
        0,
        0,
        3,
        2,
    )
    assert (stable.input_tokens, stable.output_tokens, stable.cost_usd_nanos) == (300, 60, 12600)
    assert stable.latency_sum_ms == 61.0
    assert stable.rollout_id == NO_ROLLOUT
    assert stable.minute == AT.replace(second=0)
    candidate = Rollup.objects.get(arm="candidate")
    assert (candidate.rollout_id, candidate.errors, candidate.policy_hits, candidate.validated) == (
        UUID(rollout),
        1,
        1,
        0,
    )


def test_an_event_that_was_stored_before_counts_once(cast: Cast) -> None:
    first, second = event(), event()
    assert ingest([first, first, second]) == (3, 2, 1)
    assert ingest([second, first]) == (2, 0, 0)
    third = event()
    assert ingest([first, third]) == (2, 1, 1)
    assert Rollup.objects.get().count == Inference.objects.count() == 3


def test_events_of_an_unknown_project_or_environment_are_skipped(cast: Cast) -> None:
    make_cast("umbrella")
    strays = [
        event(project="nobody"),
        event(environment="moon"),
        event(project="umbrella", environment="staging"),
    ]
    assert ingest([*strays, event()]) == (4, 2, 2)
    assert {row.project.slug for row in Inference.objects.select_related("project")} == {"acme", "umbrella"}


def test_nulls_and_missing_members_take_the_columns_defaults(cast: Cast) -> None:
    sparse = event(variables_redacted=None, output_redacted=None, output_valid=None, policy_reasons=[])
    for name in ("endpoint_revision", "generation", "stream", "cost_usd_nanos"):
        del sparse[name]
    ingest([sparse])
    row = Inference.objects.get()
    assert (row.session, row.trace_id, row.span_id, row.error_code) == ("", "", "", "")
    assert (row.variables_redacted, row.output_redacted, row.output_valid, row.endpoint_revision) == (
        None,
    ) * 4
    assert (row.generation, row.stream, row.cost_usd_nanos, row.policy_reasons) == (0, False, 0, [])
    assert not Inference.objects.exclude(variables_redacted__isnull=True).exists()  # SQL's null, not JSON's


def test_policy_reasons_are_kept_in_order_and_cut_to_their_column(cast: Cast) -> None:
    ingest([event(policy_hit=True, policy_reasons=["pattern:secret", "x" * 200])])
    assert Inference.objects.get().policy_reasons == ["pattern:secret", "x" * 80]


def test_the_histograms_hold_every_row_once(cast: Cast) -> None:
    draw = random.Random(7)
    latencies = [draw.lognormvariate(5, 2) for _ in range(200)] + [0.0, 0]
    ingest([event(latency_ms=value) for value in latencies[:90]])
    ingest([event(latency_ms=value) for value in latencies[90:]])
    rollup = Rollup.objects.get()
    histogram = LogHistogram.from_json(rollup.latency_histogram)
    assert histogram == LogHistogram.of(latencies)
    assert histogram.count == rollup.count == Inference.objects.count() == 202


def test_the_index_in_sql_is_that_of_the_histogram(cast: Cast) -> None:
    draw = random.Random(11)
    values = [10 ** draw.uniform(-8.9, 9) for _ in range(400)] + [1.0, 1e-9, 1e-10, 86_400_000.0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v, CASE WHEN v > 1e-9 THEN ceil(ln(v) / ln(1.02::float8 / 0.98::float8))::int ELSE %s END"
            " FROM unnest(%s::float8[]) v",
            [ZERO_INDEX, values],
        )
        rows = cursor.fetchall()
    assert all(index == bucket_index(value) for value, index in rows)


@pytest.mark.django_db(transaction=True)
def test_concurrent_batches_into_the_same_minute_lose_nothing() -> None:
    make_cast("acme")
    shared = [event() for _ in range(20)]
    batches = [[*shared, *(event(arm=arm) for arm in ("stable", "candidate") * 20)] for _ in range(6)]
    outcomes: list[tuple[int, int, int]] = []
    start = threading.Barrier(len(batches))

    def send(batch: list[dict[str, Any]]) -> None:
        settings = connection.get_connection_params()
        settings.pop("cursor_factory", None)
        settings.pop("context", None)
        with psycopg.connect(**settings) as own:
            start.wait()
            outcomes.append(ingest(batch, into=own))

    threads = [threading.Thread(target=send, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(stored for _, stored, _ in outcomes) == 20 + 6 * 40
    assert Inference.objects.count() == 260
    counts = dict(Rollup.objects.values_list("arm", "count"))
    assert counts == {"stable": 20 + 6 * 20, "candidate": 6 * 20}
    for rollup in Rollup.objects.all():
        assert LogHistogram.from_json(rollup.latency_histogram).count == rollup.count


def test_what_belongs_nowhere_is_named_before_it_is_skipped(cast: Cast) -> None:
    make_cast("umbrella")
    nameless = event()
    del nameless["project"], nameless["environment"]
    strays = [
        *(event(project="nobody") for _ in range(3)),
        event(environment="moon"),
        event(project="umbrella", environment="moon"),
        nameless,
    ]
    expected = [("", "", 1), ("acme", "moon", 1), ("nobody", "production", 3), ("umbrella", "moon", 1)]
    with connection.cursor() as cursor:
        cursor.execute(ingest_sql.CREATE_TEMP)
        for one in [*strays, event(), event(project="umbrella", environment="staging")]:
            cursor.execute("INSERT INTO incoming_event VALUES (%s, %s)", [one["id"], json.dumps(one)])
        cursor.execute(ingest_sql.STRAYS)
        assert cursor.fetchall() == expected
        cursor.execute(ingest_sql.INGEST)
        assert cursor.fetchone() == (8, 2, 2)
