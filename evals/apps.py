from __future__ import annotations

from django.apps import AppConfig


class EvalsConfig(AppConfig):
    name = "evals"

    def ready(self) -> None:
        from promptstore.core import outbox

        outbox.register("probe.run", "evals.handlers.run_probe", lease_s=1_800)
