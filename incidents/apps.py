from __future__ import annotations

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from promptstore.core import outbox

        outbox.register("notification.send", "incidents.handlers.send", lease_s=90)
        outbox.register("people.incident", "incidents.handlers.people")
