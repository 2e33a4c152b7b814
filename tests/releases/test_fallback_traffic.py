"""What a breaker's fallbacks answered for a candidate, as nodes record it, and what the rules make of it."""

from __future__ import annotations

from datetime import timedelta

from promptstore.core import clock as time
from promptstore.core.clock import ManualClock
from promptstore.core.ids import uuid7
from releases import controller
from releases.measuring import SeriesReader, load_series, samples_in_step
from releases.models import Measurement, Rollout
from releases.routing import Arm
from tests.traffic import record, store
from tests.world import World


def fall_back(rollout: Rollout, count: int) -> None:
    """Answers of the cheap model while the candidate's own is not asked."""
    store(
        [
            {
                "id": str(uuid7()),
                "at": time.now().isoformat(),
                "project": rollout.project.slug,
                "environment": rollout.deployment.environment.slug,
                "feature": rollout.deployment.feature.slug,
                "release_digest": rollout.candidate.digest,
                "release_version": rollout.candidate.version,
                "rollout_id": str(rollout.id),
                "arm": "safe",
                "reason": "breaker",
                "role": "cheap",
                "status": "ok",
                "latency_ms": 20.0,
                "input_tokens": 40,
                "output_tokens": 12,
                "cost_usd_nanos": 8_800,
                "policy_hit": False,
                "policy_reasons": [],
                "output_valid": True,
                "output_redacted": "an answer",
            }
            for _ in range(count)
        ]
    )


def test_answers_of_fallbacks_alone_are_no_data_and_move_nothing(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    for _ in range(20):
        fall_back(rollout, 50)
        record(rollout, "stable", 50)
        clock.advance(minutes=1)
    assert controller.tick() == 0
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("running", 200)
    assert set(Measurement.objects.values_list("verdict", flat=True)) == {"no_data"}
    assert Arm.CANDIDATE not in samples_in_step(rollout)


def test_answers_of_fallbacks_do_not_dilute_the_candidates_errors(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    record(rollout, "candidate", 5, errors=5)
    fall_back(rollout, 500)
    now = clock.advance(minutes=1)
    series = load_series(rollout, since=now - timedelta(minutes=10), until=now)
    window = SeriesReader(series, now).window("success_rate", Arm.CANDIDATE, 600)
    assert window is not None
    assert (window.value, window.n) == (0.0, 5)
    assert samples_in_step(rollout) == {Arm.CANDIDATE: 5}
