"""Make what every instance needs once: signing keys. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from promptstore.core import crypto


class Command(BaseCommand):
    help = "Create the signing keys for snapshots and audit checkpoints where they are missing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        for purpose in ("snapshot", "audit"):
            self.stdout.write(f"signing key: {crypto.signing_key(purpose).key_id}")
