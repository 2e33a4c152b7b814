"""One instance for the tests of a module, with a feature that is released there; each test leaves every part running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest
from celery import Celery
from django.db import connections

from incidents.models import Incident
from incidents.services import mitigate
from promptstore.core import keys, outbox
from promptstore.database_url import parse_database_url
from providers.scripted import ScriptedServer
from registry.services import models
from releases import services as releases
from releases.models import Promotion, Release, Rollout
from tests.cast import make_cast
from tests.chaos.instance import Instance, eventually, new_instance
from tests.chaos.load import Load, load
from tests.chaos.watch import Watch, watch
from tests.world import ANSWER, World, make_world

PLAN = {
    "steps": [
        {"kind": "shadow", "min_duration_s": 1, "min_samples": 5},
        *(
            {"weight_bp": weight, "min_duration_s": 2, "min_samples": 5}
            for weight in (500, 1_000, 5_000, 10_000)
        ),
    ]
}
RULES = [
    {"id": rule, "when": when, "severity": "P1", "action": action, "min_samples": 5}
    for rule, when, action in (
        ("policy", "policy_filter_rate > 20% for 5s", "step"),
        ("valid", "domain_accuracy < 50% for 5s", "hold"),
        ("latency", "p95_latency_ms > 30s for 5s", "hold"),
        ("cost", "cost_per_1k_requests_usd > 50usd for 5s", "hold"),
    )
]
PARTS = ("postgres", "valkey", "provider", "worker", "beat", "serving")
FICKLE = "fickle-2026-01-01"
GOOD = {"default": {"answer": ANSWER}}
BAD = GOOD | {"models": {FICKLE: {"answer": "this holds a forbidden-word"}}}


@dataclass
class Stage:
    """The instance, what is released on it, and a key that may call."""

    instance: Instance
    world: World
    key: str

    def release(self, model: str = "small@1.0.0") -> Release:
        """Something new to roll out, on a model of choice."""
        version = self.world.publish()
        return releases.compose_release(
            actor=self.world.cast.actor("engineer"),
            project_id=self.world.cast.project.id,
            feature=self.world.feature.slug,
            prompts={self.world.prompt.name: version.version},
            models={"primary": model},
            config="assistant@1.0.0",
        )

    def roll_out(self, model: str = "small@1.0.0") -> Rollout:
        """Request, let the worker check, approve, and wait until the instance itself has started the rollout."""
        promotion = self.world.request(self.release(model))
        eventually(lambda: state_of(promotion) == "awaiting_approval", "the gates have passed")
        self.world.approve(promotion)
        eventually(lambda: Rollout.objects.filter(promotion=promotion).exists(), "the rollout has started")
        return Rollout.objects.get(promotion=promotion)


def state_of(promotion: Promotion) -> str:
    promotion.refresh_from_db()
    return promotion.state


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Stage]:
    """Django of this process works on the instance's database meanwhile, and sends to its broker.

    A module's `POSTGRES_DISK_MB` is the size of the disk that Postgres gets.
    """
    disk_mb = getattr(request.module, "POSTGRES_DISK_MB", None)
    with (
        new_instance(postgres_disk_mb=disk_mb) as instance,
        django_db_blocker.unblock(),
        _django_on(instance),
    ):
        instance.script(GOOD)
        people = make_cast("acme")
        provider = cast("ScriptedServer", _Provider(instance.provider_url))
        world = make_world(people, provider, plan=PLAN, rules=RULES, rollback_interval_s=2)
        models.register_model_version(
            actor=people.actor("engineer"), project_id=people.project.id, name="fickle", version="1.0.0",
            entry={
                "kind": "hosted", "provider": "scripted", "provider_model_id": FICKLE, "endpoint": "scripted",
                "snapshot_at": "2026-01-01T00:00:00Z", "context_tokens": 4_096,
            },
        )  # fmt: skip
        _, key = keys.create_service_key(
            actor=people.actor("owner"), environment=people.production, name="load", scopes=["serve"]
        )
        instance.start("worker", "beat", "serving")
        yield Stage(instance=instance, world=world, key=key)


@dataclass(frozen=True)
class _Provider:
    base_url: str


@contextmanager
def _django_on(instance: Instance) -> Iterator[None]:
    """The default connection and the outbox's broker are the instance's until the block ends."""
    connection = connections["default"]
    connection.close()
    sender = Celery("chaos", broker=instance.valkey.url, set_as_current=False)
    sender.conf.task_default_queue = "default"
    with pytest.MonkeyPatch.context() as patch:
        wanted = {**connection.settings_dict, **parse_database_url(instance.postgres.app_url)}
        patch.setattr(connection, "settings_dict", wanted)
        patch.setattr(outbox, "current_app", sender)
        yield
        connection.close()


@pytest.fixture(autouse=True)
def fit_for_the_next(stage: Stage) -> Iterator[None]:
    """After each test, whatever became of it: all parts run, no rollout is live, no units are withdrawn."""
    yield
    stage.instance.stop("second beat")
    stage.instance.start_missing(*PARTS)
    connections["default"].close()
    stage.instance.script(GOOD)
    operator, project = stage.world.cast.actor("operator"), stage.world.cast.project.id
    for rollout in Rollout.objects.filter(state__in=["running", "rolling_back"]):
        releases.roll_back(
            actor=operator,
            project_id=project,
            rollout_id=rollout.id,
            reason="The test is over.",
            at_once=True,
        )
    for incident in Incident.objects.exclude(state__in=["mitigated", "resolved"]):
        mitigate(actor=operator, project_id=project, incident_id=incident.id, reason="The test is over.")


@pytest.fixture
def watched(stage: Stage) -> Iterator[Watch]:
    """Weights are looked at all the time; a fault fails the test at its end."""
    with watch(stage.instance.postgres.app_url) as made:
        yield made
    assert made.seen
    assert not made.faults, made.faults


@pytest.fixture
def traffic(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Load]:
    """Chat completions flow until the test ends."""
    with load(stage.instance.serving_port, stage.key, request.node.name[:100]) as made:
        yield made
