"""Every background task in three copies at once, messages that are no tasks, and tasks that take their worker down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from inspect import Parameter, signature
from typing import Any

import pytest
from celery.beat import ScheduleEntry
from django.conf import settings

from incidents.models import Delivery
from promptstore.celery import app
from promptstore.core import audit
from promptstore.core.clock import ManualClock
from promptstore.core.models import AuditPending, OutboxMessage
from registry.services import endpoints
from releases.models import Promotion, Rollout
from serving.models import Node, NodeCredential
from tests.chaos.invariants import check_audit, check_decisions, check_published
from tests.incidents.channel_cast import channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import receiver
from tests.threads import at_once
from tests.traffic import record
from tests.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("commits")]
COPIES = 3


@pytest.fixture(autouse=True)
def fit_for_the_next() -> None:
    """These tests need no instance."""


def tasks() -> dict[str, Callable[..., Any]]:
    """All of the product's, by name."""
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def takes(task: Callable[..., Any]) -> list[str]:
    return [
        name for name, parameter in signature(task).parameters.items() if parameter.default is Parameter.empty
    ]


def test_each_task_in_three_copies_at_once_does_its_work_once(world: World, clock: ManualClock) -> None:
    # Something for every task to do: a rollout that is due, one to expire, messages, a node without its credential.
    rollout = world.roll_out()
    expiring = world.check(world.request())
    endpoint = endpoints.create_endpoint(
        actor=world.cast.actor("engineer"), project_id=world.cast.project.id, name="sealed",
        protocol="openai_http", base_url=world.provider.base_url, allow_private=True, api_key="sk-only-a-test",
    )  # fmt: skip
    Node.objects.create(name="node-1", public_key=bytes(range(32)), seen_at=clock.now())
    with receiver() as hook:
        channel(world.cast, hook)
        opened(world.cast, dedup_key="another")
        for _ in range(6):
            record(rollout, "candidate", 10)
            record(rollout, "stable", 10)
            clock.advance(minutes=1)
        with_arguments = {
            "core.deliver": [
                [pk] for pk in OutboxMessage.objects.filter(done_at=None).values_list("pk", flat=True)
            ]
        }
        for name, task in sorted(tasks().items()):
            if takes(task):
                assert name in with_arguments, f"say with which arguments {name} is tried here"
            for arguments in with_arguments.get(name, [[]]):
                at_once(*[lambda task=task, arguments=arguments: task(*arguments)] * COPIES)
        assert Delivery.objects.get().state == "delivered"
        assert len(hook.received) == 1
    assert NodeCredential.objects.filter(endpoint_id=endpoint.id).count() == 1
    clock.advance(hours=100)
    at_once(*[tasks()["releases.expire"]] * COPIES)
    expiring.refresh_from_db()
    assert expiring.state == "expired"
    assert expiring.deployment_id == rollout.deployment_id
    at_once(*[tasks()["core.seal_audit"]] * COPIES)
    assert not AuditPending.objects.exists()
    assert audit.verify().ok
    rollout.refresh_from_db()
    assert [decision.kind for decision in check_decisions(rollout)] == ["start", "advance", "advance"]
    check_audit(rollout)
    check_published(rollout)


def test_two_schedulers_for_an_hour_move_a_rollout_as_one_does(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    tick = tasks()["releases.tick"]
    for _ in range(60):
        if Rollout.objects.get().state == "completed":
            break
        record(rollout, "candidate", 10)
        if rollout.weight_bp < 10_000:
            record(rollout, "stable", 10)
        clock.advance(minutes=1)
        at_once(tick, tick)
        rollout.refresh_from_db()
    decisions = check_decisions(rollout)
    assert [decision.kind for decision in decisions] == ["start", *["advance"] * 4, "complete"]
    steps = Promotion.objects.get(pk=rollout.promotion_id).plan["steps"]
    for step, entered, left in zip(steps[1:], decisions[1:-1], decisions[2:], strict=True):
        assert (left.at - entered.at).total_seconds() >= step["min_duration_s"]


def test_an_hour_without_a_scheduler_is_not_made_up_for(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    tick = tasks()["releases.tick"]
    clock.advance(minutes=55)
    for _ in range(5):
        record(rollout, "candidate", 10)
        record(rollout, "stable", 10)
        clock.advance(minutes=1)
    # An hour is more than the whole plan takes; what comes back is one step, however often it ticks at once.
    for _ in range(5):
        tick()
    rollout.refresh_from_db()
    assert (rollout.step_index, rollout.weight_bp) == (2, 1_000)
    assert [decision.kind for decision in check_decisions(rollout)] == ["start", "advance", "advance"]


def test_an_hour_without_scheduler_and_data_moves_nothing_up(world: World, clock: ManualClock) -> None:
    rollout = world.roll_out()
    for _ in range(5):
        record(rollout, "candidate", 10)
        record(rollout, "stable", 10)
        clock.advance(minutes=1)
    clock.advance(hours=1)
    tasks()["releases.tick"]()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp) == ("running", 200)


def test_what_the_scheduler_sends_expires_before_it_piles_up() -> None:
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in tasks(), name
        interval = entry["schedule"]
        if isinstance(interval, int | float):
            assert 0 < entry["options"]["expires"] <= max(2 * interval, 60), name


def test_a_scheduler_that_slept_for_an_hour_sends_each_task_once() -> None:
    for name, entry in app.conf.beat_schedule.items():
        slept = ScheduleEntry(name=name, app=app, **entry)
        slept.last_run_at = slept.default_now() - timedelta(hours=1, seconds=1)
        assert slept.is_due().is_due
        assert not next(slept).is_due().is_due, name


def test_messages_that_are_lost_with_their_worker_come_back() -> None:
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST
    for name, task in tasks().items():
        assert task.acks_late, name  # type: ignore[attr-defined]
        assert not getattr(task, "autoretry_for", None), f"{name}: the outbox and the timetable try again"
