"""From the commit of a change to the first answer that shows it, over LISTEN/NOTIFY.

Each change is a real one: a person returns a deployment to another release that was live before. The clock starts when the
database has committed it and stops when the first answer with that release arrives. In between the snapshot is published (a
second transaction), the node is woken, loads, verifies and swaps.
"""

from __future__ import annotations

import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.instance import FEATURE, Instance, serving_node
from bench.results import Result

TARGET_P99_MS = 250
WAIT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class _Deployment:
    """`change(version)` makes a release stable and returns the moment of its commit, in monotonic nanoseconds."""

    versions: tuple[str, str]
    change: Callable[[str], int]


def measure(made: Instance, *, changes: int) -> Result:
    """`changes` changes, one after the other, with pauses of 10 to 40 ms between them."""
    deployment = _two_releases(made)
    pause = random.Random(1)
    delays_ms = []
    with serving_node(made), _poller(made) as seen:
        for number in range(changes):
            wanted = deployment.versions[number % 2]
            time.sleep(pause.uniform(0.010, 0.040))
            committed_ns = deployment.change(wanted)
            delays_ms.append((_await(seen, wanted) - committed_ns) / 1e6)
    delays_ms.sort()
    p50, p99 = delays_ms[len(delays_ms) // 2], delays_ms[len(delays_ms) * 99 // 100]
    return Result(
        name="commit to first served answer, p99",
        value=round(p99, 2),
        unit="ms",
        target=f"≤ {TARGET_P99_MS} ms",
        met=p99 <= TARGET_P99_MS,
        details={
            "changes": changes,
            "p50_ms": round(p50, 2),
            "p99_ms": round(p99, 2),
            "max_ms": round(delays_ms[-1], 2),
        },
    )


def _two_releases(made: Instance) -> _Deployment:
    """A second release beside the demo's, both known to have been live, and the service call that switches."""
    os.environ.update(made.environment)
    import django

    django.setup()
    from django.db import transaction

    from promptstore.core import keys
    from promptstore.core.models import User
    from releases import services
    from releases.models import Deployment, LivePeriod, Release

    deployment = Deployment.objects.get(feature__slug=FEATURE, environment__slug="production")
    first = Release.objects.get(feature__slug=FEATURE)
    engineer, operator = (
        keys.actor_for_user(User.objects.get(username=name)) for name in ("engineer", "operator")
    )
    second = services.compose_release(
        actor=engineer,
        project_id=deployment.project_id,
        feature=FEATURE,
        prompts={pin["name"]: pin["version"] for pin in first.manifest["prompts"]},
        models={role: f"{pin['name']}@{pin['version']}" for role, pin in first.manifest["models"].items()},
        config=f"{first.manifest['config']['name']}@{first.manifest['config']['version']}",
        version="1.1.0",
    )
    LivePeriod.objects.create(
        project_id=deployment.project_id, deployment=deployment, release=second, how=LivePeriod.How.PROMOTED
    )
    releases = {release.version: release for release in (first, second)}

    def change(version: str) -> int:
        committed: list[int] = []
        with transaction.atomic():
            # Registered first, so it runs as soon as the database has committed and before anything is published.
            transaction.on_commit(lambda: committed.append(time.monotonic_ns()))
            services.return_to_release(
                actor=operator,
                project_id=deployment.project_id,
                deployment_id=deployment.id,
                release_id=releases[version].id,
                reason="Measured change.",
            )
        return committed[0]

    return _Deployment(versions=(second.version, first.version), change=change)


@contextmanager
def _poller(made: Instance) -> Iterator[queue.Queue[tuple[int, str]]]:
    """The versions that `bench.poller` sees, as they change."""
    seen: queue.Queue[tuple[int, str]] = queue.Queue()
    path = f"/v1/features/{FEATURE}/resolve?unit=user-1"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.poller", str(made.serving_port), made.key, path],
        stdout=subprocess.PIPE,
        text=True,
    )

    def read() -> None:
        for line in process.stdout or ():
            at, version = line.split()
            seen.put((int(at), version))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        seen.get(timeout=WAIT_S)  # the release that is served at the start
        yield seen
    finally:
        process.terminate()
        process.wait()
        reader.join()


def _await(seen: queue.Queue[tuple[int, str]], wanted: str) -> int:
    try:
        at, version = seen.get(timeout=WAIT_S)
    except queue.Empty:
        raise SystemExit(f"release {wanted} was not served within {WAIT_S:.0f} s") from None
    if version != wanted:
        raise SystemExit(f"release {version} was served where {wanted} was expected")
    return at
