"""Habits that a reader may rely on everywhere in the product."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import ROOT, calls, dotted, modules, repository_files

MAX_LINES = 400
SIGNAL_MODULES = (
    "django.dispatch",
    "django.db.models.signals",
    "django.core.signals",
    "django.contrib.auth.signals",
)
# The database contracts are installed when all tables are there; Django offers no other moment.
SIGNALS_ALLOWED = {"promptstore/core/apps.py": {"django.db.models.signals.post_migrate"}}
SENDING = {"delay", "apply_async", "send_task"}
# Commands talk to a person; everything else logs.
MAY_PRINT = re.compile(r"promptstore/(cli|local)/|/management/commands/")


def test_nothing_happens_through_django_signals() -> None:
    found = [
        f"{module.path} imports {origin}"
        for module in modules()
        for origin in module.imports.values()
        if origin.startswith(SIGNAL_MODULES) and origin not in SIGNALS_ALLOWED.get(module.path, set())
    ]
    assert not found, "register an explicit handler instead: " + "; ".join(found)


def test_tasks_are_sent_by_the_outbox_alone() -> None:
    found = [
        module.at(call)
        for module, call in calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in SENDING
        and module.name != "promptstore.core.outbox"
    ]
    assert not found, "emit an outbox message in the change's transaction instead: " + ", ".join(found)


def test_product_code_logs_and_does_not_print() -> None:
    found = [
        module.at(call)
        for module, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id == "print" and not MAY_PRINT.search(module.path)
    ]
    assert not found, ", ".join(found)


def test_decisions_read_no_clock_of_their_own() -> None:
    forbidden = re.compile(r"(datetime\.(datetime\.)?(now|utcnow|today)|django\.utils\.timezone\.now)\Z")
    found = [
        module.at(call)
        for module, call in calls()
        if forbidden.search(module.resolve(call.func)) and module.name != "promptstore.core.clock"
    ]
    assert not found, "take the time from promptstore.core.clock: " + ", ".join(found)


def test_models_have_no_side_effects_in_save_or_delete() -> None:
    found = [
        module.at(method)
        for module in modules()
        for cls in ast.walk(module.tree)
        if isinstance(cls, ast.ClassDef) and any("Model" in dotted(base) for base in cls.bases)
        for method in cls.body
        if isinstance(method, ast.FunctionDef) and method.name in {"save", "delete"}
    ]
    assert not found, "writes live in services: " + ", ".join(found)


def test_no_module_is_called_utils() -> None:
    found = [
        module.path for module in modules() if re.search(r"(^|\.)(utils?|helpers?|misc)(\.|$)", module.name)
    ]
    assert not found


@pytest.mark.parametrize("suffix", [".py", ".html", ".css", ".js"])
def test_no_file_is_longer_than_one_subject_needs(suffix: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in repository_files()
        if path.suffix == suffix
        and not {"migrations", "vendor"} & set(path.relative_to(ROOT).parts)
        and (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES
    }
    assert not long, f"split by subject (at most {MAX_LINES} lines): {long}"


def test_no_page_hides_what_every_page_is_given() -> None:
    # What a view passes to a template wins over the context processor, so the frame around the page would lose its parts.
    given = {"places", "nav", "roles", "theme", "banner", "project_choices", "environment_choices"}
    found = [
        f"{module.at(key)} passes {key.value!r}"
        for module in modules()
        if "views" in module.name or module.name.startswith("promptstore.console.")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Dict) and module.path != "promptstore/console/context.py"
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value in given
    ]
    assert not found, "; ".join(found)
