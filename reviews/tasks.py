"""Background entry points: call one service."""

from __future__ import annotations

from celery import shared_task

from promptstore.core.tasks import BaseTask
from reviews import services


@shared_task(name="reviews.enqueue_samples", base=BaseTask)
def enqueue_samples() -> None:
    services.enqueue_samples()


@shared_task(name="reviews.expire_leases", base=BaseTask)
def expire_leases() -> None:
    services.expire_leases()
