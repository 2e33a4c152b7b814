from __future__ import annotations

from django.apps import AppConfig


class ServingConfig(AppConfig):
    name = "serving"

    def ready(self) -> None:
        from promptstore.core import outbox

        # Inline: the process that committed a change publishes it at once; the relay is the safety net. Short leases: if that
        # process is killed in between, traffic must not stay where it was for long. Publishing twice is harmless.
        outbox.register("snapshot.publish", "serving.handlers.publish", inline=True, lease_s=5)
        outbox.register("incident.mitigated", "serving.handlers.publish", inline=True, lease_s=5)
