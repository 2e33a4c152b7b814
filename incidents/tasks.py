"""Background entry points: parse ids, call one service."""

from __future__ import annotations

from celery import shared_task

from incidents.services.deliveries import send_due
from promptstore.core.tasks import BaseTask


@shared_task(name="incidents.send_due", base=BaseTask)
def send_due_notifications() -> None:
    send_due()
