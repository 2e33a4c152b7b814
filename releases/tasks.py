"""Background entry points: parse ids, call one service."""

from __future__ import annotations

from celery import shared_task

from promptstore.core.tasks import BaseTask
from releases import controller, services


@shared_task(name="releases.tick", base=BaseTask)
def tick() -> None:
    controller.tick()


@shared_task(name="releases.expire", base=BaseTask)
def expire() -> None:
    services.expire_promotions()
