"""What a page for people names, and whether the product has it."""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache

from django.core.management import get_commands
from django.urls import Resolver404, resolve

from promptstore.console.audit.sentences import SENTENCES
from serving.routes import FIXED
from tests.architecture.sources import ROOT, modules, repository_files
from tests.cli.commands import COMMANDS
from tests.docs import found_in_code

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+\Z")
_SAYS = {"debug", "info", "warning", "error", "exception", "critical"}


def spans(text: str) -> list[str]:
    """What is quoted as code within sentences."""
    return _SPAN.findall(_FENCE.sub("", text))


def commands(text: str) -> list[str]:
    """The lines that somebody is told to type."""
    return [
        line.strip().removeprefix("$ ")
        for block in _CONSOLE.findall(text)
        for line in block.splitlines()
        if line.strip().startswith("$ ")
    ]


@cache
def log_events() -> set[str]:
    """`entity.action`, as logs have them, and the audit log's actions."""
    return set(SENTENCES) | {
        node.args[0].value
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _SAYS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and _EVENT.match(node.args[0].value)
    }


@cache
def source() -> str:
    """The product's code, templates and compose file as one text."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in repository_files()
        if path.suffix in {".py", ".html", ".yml", ".lark"} and "tests" not in path.relative_to(ROOT).parts
    )


def exists(name: str) -> bool:
    """Whether a word quoted as code means something: a command, metric, setting, page, event, or text of the product's code."""
    if name.startswith(("promptctl ", "make ", "manage.py ")):
        known = not problems_of(name)
    elif name.startswith("promptstore_"):
        known = name in found_in_code.metrics()
    elif found_in_code.VARIABLE.match(name) and "_" in name:
        known = name in found_in_code.environment_variables()
    elif name.startswith("/"):
        known = is_page(name)
    else:
        known = name in log_events() or (ROOT / name).exists() or name in source()
    return known


def is_page(path: str) -> bool:
    """Whether the console, the management API or the serving API answers at a path; `{…}` stands for a part of it."""
    if path in FIXED:
        return True
    for stand_in in ("acme", "01a20c2a-7a67-783f-8957-c9af6aa2de6d"):
        try:
            resolve(re.sub(r"\{[^}]+\}", stand_in, path.partition("?")[0]))
        except Resolver404:
            continue
        return True
    return False


def problems_of(line: str) -> list[str]:
    """What is wrong with a command that somebody is told to type."""
    words = [word for word in shlex.split(line.partition(" | ")[0]) if not re.match(r"[A-Z_]+=", word)]
    if words[:1] == ["promptctl"]:
        known = [
            command
            for command in COMMANDS
            if words[1 : 1 + len(command.name.split())] == command.name.split()
        ]
        if not known:
            return [f"there is no command {line}"]
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        return [f"{known[0].name} has no {option}" for option in options if option not in known[0].help]
    if "manage.py" in words:
        name = words[words.index("manage.py") + 1]
        return [] if name in get_commands() else [f"manage.py has no {name}"]
    if words[:1] == ["curl"]:
        paths = [re.sub(r"https?://[^/]+", "", word) for word in words if word.startswith("http")]
        return [f"nothing answers at {path}" for path in paths if not is_page(path)]
    if words[:1] == ["make"]:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        return [] if f"\n{words[1]}:" in makefile else [f"there is no target {words[1]}"]
    return [f"nobody checks {line}"]
