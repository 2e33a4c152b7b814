"""What a provider promised, beside what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from evals.selectors.service_levels import service_level
from promptstore.core import clock
from promptstore.core.clock import ManualClock
from promptstore.core.ids import uuid7
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from registry.services import features
from tests.cast import Cast
from tests.evals.probe_cast import ask_and_run, entry_of
from tests.traffic import store


@pytest.fixture
def entry(cast: Cast, provider: ScriptedServer, clock: ManualClock) -> ModelVersion:
    features.create_feature(
        actor=cast.actor("owner"), project_id=cast.project.pk, slug="assistant", name="Assistant"
    )
    return entry_of(cast, provider, service_level={"availability_bp": 9_900, "latency_p95_ms": 500})


def call(**fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid7()), "at": clock.now().isoformat(), "project": "acme", "environment": "production",
        "feature": "assistant", "release_digest": "", "release_version": "1.0.0", "rollout_id": None, "arm": "stable",
        "reason": "static", "role": "primary", "model": "small", "model_version": "1.0.0", "status": "ok",
        "latency_ms": 100.0, **fields,
    }  # fmt: skip


def test_production_is_measured_over_the_last_hour_and_this_entry_alone(
    entry: ModelVersion, clock: ManualClock
) -> None:
    store([call(status="error")])
    clock.advance(minutes=61)
    store([call(model="other", status="error"), *[call(latency_ms=float(100 * n)) for n in range(1, 11)]])
    measured = service_level(entry=entry)[1]
    assert (measured.calls, measured.answered) == (10, 10)
    assert measured.p95_latency_ms == pytest.approx(955)
    assert (measured.availability_kept, measured.latency_kept) == (True, False)


def test_an_availability_is_missed_when_chance_cannot_explain_it(entry: ModelVersion) -> None:
    store([call(status="error"), *[call() for _ in range(19)]])
    assert service_level(entry=entry)[1].availability_kept is True
    store([call(status="error") for _ in range(30)])
    assert service_level(entry=entry)[1].availability_kept is False


def test_probes_measure_too_and_nothing_measured_is_nothing_said(entry: ModelVersion, cast: Cast) -> None:
    nothing = service_level(entry=entry)
    assert [(row.availability, row.availability_kept, row.latency_kept) for row in nothing] == [
        (None, None, None)
    ] * 2
    ask_and_run(cast, entry)
    assert (service_level(entry=entry)[0].answered, service_level(entry=entry)[0].availability_kept) == (
        96,
        True,
    )


def test_without_a_promise_nothing_is_kept_or_missed(
    cast: Cast, provider: ScriptedServer, entry: ModelVersion
) -> None:
    other = entry_of(cast, provider, name="other")
    ask_and_run(cast, other)
    assert service_level(entry=other)[0].availability_kept is None
    assert service_level(entry=other)[0].latency_kept is None
