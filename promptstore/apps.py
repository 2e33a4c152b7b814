from __future__ import annotations

from django.apps import AppConfig


class PromptstoreConfig(AppConfig):
    """The project itself: binds Celery's application before any task is declared."""

    name = "promptstore"

    def ready(self) -> None:
        from promptstore import celery  # noqa: F401
