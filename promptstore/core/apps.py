from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "promptstore.core"
    label = "core"
    verbose_name = "Ground floor"

    def ready(self) -> None:
        from promptstore.core import contracts, outbox
        from promptstore.core.http import openapi  # noqa: F401 - drf-spectacular finds the scheme by its class

        post_migrate.connect(contracts.after_migrate, sender=self, dispatch_uid="core.contracts")
        outbox.register("audit.verify", "promptstore.core.audit.verifications.handle")
