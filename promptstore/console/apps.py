"""The console: layout, components, navigation; pages of the apps are built from them."""

from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "promptstore.console"
    label = "console"
    verbose_name = "Console"
