"""Point the demo's endpoint at the model that this instance runs. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from promptstore.demo.local_model import follow_model


class Command(BaseCommand):
    help = "Point the demo's endpoint at PROMPTSTORE_MODEL_URL, unless somebody pointed it elsewhere."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write("The demo's endpoint moved." if follow_model() else "Nothing to move.")
