"""Django's `migrate`, which refuses a database of a later version instead of taking it for its own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangosCommand
from django.db import connections

from promptstore.core.schema import migrations_of_later_versions


class Command(DjangosCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        later = migrations_of_later_versions(connections[options["database"]])
        if later:
            shown = ", ".join(later[:3]) + (f" and {len(later) - 3} more" if len(later) > 3 else "")
            raise CommandError(
                f"This database was used by a later version of Promptstore: it holds {shown}, which this version does not "
                "know. Nothing was changed. Start the later version, or restore the backup that was made before the upgrade "
                "(docs/upgrading.md)."
            )
        super().handle(*args, **options)
