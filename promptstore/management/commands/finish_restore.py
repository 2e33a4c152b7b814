"""The last step of `promptctl doctor --restore`, run against the restored database before anybody uses it.

Migrates it to this version's schema, which installs the contracts and the application's rights as well, then starts over in it.
Reads `{"origin": {…}, "former": {…} | null}` from standard input and prints what was done as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from promptstore.core.errors import DomainError
from serving.restoring import Former, Origin, resume_after_restore


class Command(BaseCommand):
    help = "Internal: migrate a restored database and make it ready for use. `promptctl doctor --restore` calls it."

    def handle(self, *_args: Any, **_options: Any) -> None:
        given = json.load(sys.stdin)
        call_command("migrate", database="owner", interactive=False, verbosity=0)
        try:
            resumed = resume_after_restore(
                origin=Origin(**given["origin"]),
                former=Former(**given["former"]) if given["former"] else None,
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(json.dumps(asdict(resumed)))
