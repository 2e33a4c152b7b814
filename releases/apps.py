from __future__ import annotations

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "releases"

    def ready(self) -> None:
        from promptstore.core import outbox

        outbox.register("promotion.check", "releases.handlers.check", lease_s=1_200)
        outbox.register("promotion.start", "releases.handlers.start")
        outbox.register("people.promotion", "releases.handlers.promotion_moved")
        outbox.register("people.rollout", "releases.handlers.rollout_moved")
        outbox.register("probe.drifted", "releases.handlers.open_drift_incidents")
