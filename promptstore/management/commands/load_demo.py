"""Load the demo project `acme`; prints the passwords of the people it created."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from promptstore.demo.loader import load


class Command(BaseCommand):
    help = "Load the demo project: a feature live in staging and production, one user per role, one key per environment."

    def handle(self, *_args: Any, **_options: Any) -> None:
        passwords = load()
        for name, password in passwords.items():
            self.stdout.write(f"  {name:<10} {password}")
        if not passwords:
            self.stdout.write("The demo project is loaded already.")
