"""Background entry points: parse ids, call one service."""

from __future__ import annotations

from celery import shared_task

from evals import services
from promptstore.core.tasks import BaseTask


@shared_task(name="evals.request_due_probes", base=BaseTask)
def request_due_probes() -> None:
    services.request_due_probes()
