from __future__ import annotations

from celery import shared_task

from promptstore.core.tasks import BaseTask
from serving import services


@shared_task(name="serving.seal_credentials", base=BaseTask)
def seal_credentials() -> None:
    services.seal_credentials()
