"""Live rollouts with telemetry for `bench.tick`: `python -m bench.rollouts COUNT MINUTES TICKS`, in an instance's environment.

Features and releases come from the services; promotions and rollouts are written as they stand in the middle of a step, because
gates and votes are not what is measured. Events go through the statements that nodes use. Writes what was found as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from releases.models import Rollout

# Calls of one rollout in one minute.
STABLE_PER_MINUTE = 20
CANDIDATE_PER_MINUTE = 10


def main() -> None:
    count, minutes, ticks = (int(text) for text in sys.argv[1:4])
    import django

    django.setup()
    from promptstore.core import clock
    from releases.models import Rollout

    _make(count, entered_at=clock.now() - timedelta(minutes=minutes))
    rollouts = list(
        Rollout.objects.select_related(
            "deployment__feature",
            "deployment__environment",
            "promotion__policy__environment",
            "candidate",
            "baseline",
            "project",
        )
        .filter(state="running")
        .order_by("id")
    )
    for ago in reversed(range(minutes)):
        record(rollouts, at=clock.now() - timedelta(minutes=ago))
    json.dump(_measure(rollouts, ticks=ticks), sys.stdout)


def _measure(rollouts: Sequence[Rollout], *, ticks: int) -> dict[str, Any]:
    """Ticks and, by turns, the same rollouts read one by one; new calls before each, so that there is something to keep."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from promptstore.core import clock
    from releases import controller

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE telemetry_rollup, telemetry_inference, releases_measurement")
    controller.tick()
    joint, joint_cpu, single = [], [], []
    for _ in range(ticks):
        record(rollouts, at=clock.now(), calls=1)
        cpu = time.process_time()
        joint.append(_seconds(controller.tick))
        joint_cpu.append(time.process_time() - cpu)
        record(rollouts, at=clock.now(), calls=1)
        single.append(_seconds(lambda: _one_by_one(rollouts)))
    record(rollouts, at=clock.now(), calls=1)
    with CaptureQueriesContext(connection) as seen:
        moved = controller.tick()
    queries = [(float(query["time"]), query["sql"]) for query in seen.captured_queries]
    took, slowest = max(query for query in queries if query[1].lstrip().startswith(("SELECT", "WITH")))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY OFF) {slowest}")
        explained = [row[0] for row in cursor.fetchall()]
    return {
        "joint_s": joint,
        "joint_cpu_s": joint_cpu,
        "single_s": single,
        "queries": len(queries),
        "moved": moved,
        "slowest_query_ms": round(1e3 * took, 1),
        "slowest_query": " ".join(slowest.split())[:300],
        "slowest_plan": [line[:200] for line in explained[:40]],
    }


def _one_by_one(rollouts: Sequence[Rollout]) -> None:
    """What a tick reads and keeps, a transaction for each rollout: the baseline."""
    from django.db import transaction

    from promptstore.core import clock
    from releases.decide import decide
    from releases.measurements import keep_measurements
    from releases.measuring import controller_view, measure
    from releases.services.locks import lock_rollout

    for one in rollouts:
        with transaction.atomic():
            rollout, now = lock_rollout(rollout_id=one.pk), clock.now()
            [measured] = measure([rollout], now)
            keep_measurements([(rollout, measured.evaluations)], now)
            decide(controller_view(rollout, measured.policy, measured.rules), measured.evaluations, now)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def record(rollouts: Sequence[Rollout], *, at: datetime, calls: int | None = None) -> None:
    """One minute's calls of each rollout, or `calls` of each arm, stored as a node stores them."""
    from django.db import connection, transaction

    from telemetry import ingest_sql

    draw = random.Random(at.timestamp())
    arms = (("stable", calls or STABLE_PER_MINUTE), ("candidate", calls or CANDIDATE_PER_MINUTE))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ingest_sql.CREATE_TEMP)
        with cursor.copy(ingest_sql.COPY) as copy:
            for rollout in rollouts:
                for arm, number in arms:
                    for _ in range(number):
                        event = _event(rollout, arm, at=at, latency_ms=draw.lognormvariate(5, 0.5))
                        copy.write_row((event["id"], json.dumps(event)))
        cursor.execute(ingest_sql.INGEST)


def _event(rollout: Rollout, arm: str, *, at: datetime, latency_ms: float) -> dict[str, Any]:
    from promptstore.core.ids import uuid7

    release = rollout.candidate if arm == "candidate" else rollout.baseline
    assert release is not None, "every rollout here replaces a release"
    return {
        "id": str(uuid7()),
        "at": at.isoformat(),
        "project": rollout.project.slug,
        "environment": rollout.deployment.environment.slug,
        "feature": rollout.deployment.feature.slug,
        "release_digest": release.digest,
        "release_version": release.version,
        "rollout_id": str(rollout.pk),
        "arm": arm,
        "status": "ok",
        "latency_ms": latency_ms,
        "input_tokens": 400,
        "output_tokens": 20,
        "cost_usd_nanos": 9_600,
        "output_valid": True,
    }


def _make(count: int, *, entered_at: datetime) -> None:
    from promptstore.core import keys
    from promptstore.core.digests import digest_json
    from promptstore.core.models import Environment, User
    from promptstore.demo import content
    from registry.services import features
    from releases import services
    from releases.models import Deployment, EnvironmentPolicy, Promotion, Rollout

    production = Environment.objects.get(project__slug="acme", slug="production")
    policy = EnvironmentPolicy.objects.filter(environment=production).order_by("-number")[0]
    owner, engineer = (keys.actor_for_user(User.objects.get(username=name)) for name in ("owner", "engineer"))
    project_id = production.project_id
    # A day for each step: all hold, as nearly all rollouts do at nearly every tick.
    plan = {
        "steps": [{**step, "min_duration_s": 86_400} for step in content.PRODUCTION_POLICY["plan"]["steps"]]
    }
    for number in range(count):
        slug = f"feature-{number:03d}"
        feature = features.create_feature(actor=owner, project_id=project_id, slug=slug, name=slug)
        baseline, candidate = (
            services.compose_release(
                actor=engineer,
                project_id=project_id,
                feature=slug,
                prompts={content.PROMPT: "1.0.0"},
                models={"primary": f"{content.MODEL}@1.0.0"},
                config=f"{content.CONFIG}@1.0.0",
                version=version,
            )
            for version in ("1.0.0", "1.1.0")
        )
        deployment = Deployment.objects.create(
            project_id=project_id, feature=feature, environment=production, stable_release=baseline
        )
        promotion = Promotion.objects.create(
            project_id=project_id,
            deployment=deployment,
            release=candidate,
            base_release=baseline,
            policy=policy,
            plan=plan,
            plan_digest=digest_json(plan),
            state="rolling_out",
            expires_at=entered_at + timedelta(days=3),
        )
        Rollout.objects.create(
            project_id=project_id,
            promotion=promotion,
            deployment=deployment,
            baseline=baseline,
            candidate=candidate,
            state="running",
            salt=slug,
            step_index=2,
            step_entered_at=entered_at,
            weight_bp=1_000,
            last_moved_at=entered_at,
            on_withdraw="stable",
        )


if __name__ == "__main__":
    main()
