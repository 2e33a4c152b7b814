"""Celery: one base for every task, the outbox's worker side, and the ground floor's periodic work.

Tasks parse ids and call one service. They carry ids only, never secrets or texts.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import Task, shared_task

from promptstore.core import audit, outbox
from promptstore.core.metrics import TASK_FAILURES


class BaseTask(Task):  # type: ignore[misc] # Celery ships no types
    """Binds log context and counts failures."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task=self.name, task_id=self.request.id)
        return super().__call__(*args, **kwargs)

    def on_failure(self, exc: Exception, _task_id: str, _args: Any, _kwargs: Any, _einfo: Any) -> None:
        TASK_FAILURES.labels(self.name).inc()
        structlog.get_logger("tasks").error("task.failed", exc_info=exc)


@shared_task(name="core.deliver", base=BaseTask)
def deliver(message_id: int) -> None:
    outbox.deliver(message_id)


@shared_task(name="core.relay", base=BaseTask)
def relay() -> None:
    outbox.relay()


@shared_task(name="core.seal_audit", base=BaseTask)
def seal_audit() -> None:
    audit.seal_pending()


@shared_task(name="core.tidy", base=BaseTask)
def tidy() -> None:
    outbox.forget_done()
