"""The product's source as data: files, parsed modules, and who calls what."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "promptstore",
    "stats",
    "providers",
    "registry",
    "telemetry",
    "incidents",
    "evals",
    "reviews",
    "releases",
    "serving",
)


@dataclass(frozen=True)
class Module:
    """One product module. `name` is dotted, `path` relative to the checkout."""

    name: str
    path: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """`file:line` of a node, as people and editors read it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions at the top of the module, by name."""
        return {
            node.name: node
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name → dotted origin, wherever in the module it is imported."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return found

    def resolve(self, callee: ast.expr) -> str:
        """The dotted name of what a call's function expression names, as far as imports tell."""
        text = dotted(callee)
        head, _, rest = text.partition(".")
        origin = self.imports.get(head)
        if origin is None:
            return f"{self.name}.{text}" if head in self.functions else text
        return f"{origin}.{rest}" if rest else origin


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names; `?` in place of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product but migrations."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if "migrations" in relative.parts:
                continue
            parts = relative.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, str(relative), ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def calls() -> Iterator[tuple[Module, ast.Call]]:
    """Every call in the product."""
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield module, node


@cache
def repository_files() -> tuple[Path, ...]:
    """What is in the repository, or would be with the next commit: everything that is not ignored."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    )
    names = sorted({name for name in listed.stdout.decode().split("\0") if name})
    return tuple(path for name in names if (path := ROOT / name).is_file())


def text_of(path: Path) -> str | None:
    """A file's text; `None` for binary files."""
    data = path.read_bytes()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
