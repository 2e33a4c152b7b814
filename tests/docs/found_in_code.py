"""What the product reads, counts and refuses, found in its source: documentation is compared with this."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache

from rest_framework import exceptions

from promptstore.core import errors
from promptstore.core.http import problems
from providers import FailureKind
from registry.rendering import SpecError
from tests.architecture.sources import Module, dotted, modules

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\Z")
METRIC = re.compile(r"promptstore_[a-z_]+\Z")
CODE = re.compile(r"[a-z][a-z0-9_]+\Z")

# Functions of ours that read a variable and, where they do, the file that NAME_FILE points at.
_SECRETS = {"secret", "_secret"}
_READERS = _SECRETS | {"_integer", "_port", "getenv"}
_ENVIRONMENTS = {"env", "environ", "os.environ"}
_COUNTERS = {"Counter", "CounterMetricFamily"}
_METRICS = _COUNTERS | {"Gauge", "Histogram", "GaugeMetricFamily", "HistogramMetricFamily"}
# Made by tools of ours for their own children, or set by the system; nobody configures them.
_NOT_OURS = {"HOME", "PATH", "PYTHONPATH", "TMPDIR"}


@cache
def environment_variables() -> dict[str, str]:
    """Variable → where it is read. A secret's NAME_FILE is listed too."""
    found: dict[str, str] = {}
    for module in modules():
        for node in ast.walk(module.tree):
            for name, is_secret in _variables(node):
                if VARIABLE.match(name) and name not in _NOT_OURS:
                    found.setdefault(name, module.at(node))
                    if is_secret:
                        found.setdefault(f"{name}_FILE", module.at(node))
    return found


def _variables(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """`(name, is a secret)` of every environment variable that `node` itself reads."""
    if (
        isinstance(node, ast.Subscript)
        and dotted(node.value) in _ENVIRONMENTS
        and isinstance(node.ctx, ast.Load)
    ):
        yield from ((text, False) for text in _texts(node.slice))
    if not isinstance(node, ast.Call):
        return
    function = dotted(node.func)
    owner, _, method = function.rpartition(".")
    if owner in _ENVIRONMENTS and method in {
        "get",
        "str",
        "bool",
        "list",
        "int",
        "float",
        "setdefault",
        "pop",
    }:
        yield from ((text, False) for text in _texts(*node.args[:1]))
    elif method in _READERS:
        yield from ((text, method in _SECRETS) for text in _texts(*node.args))
    elif method == "Parameter":
        for keyword in node.keywords:
            if keyword.arg == "env_var":
                yield from ((text, False) for text in _texts(keyword.value))


def _texts(*nodes: ast.expr) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def metrics() -> dict[str, str]:
    """Prometheus metric, as it is scraped → where it is made."""
    found: dict[str, str] = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            kind = dotted(node.func).rpartition(".")[2]
            for name in _texts(*node.args[:1]):
                if kind in _METRICS and METRIC.match(name):
                    total = "_total" if kind in _COUNTERS and not name.endswith("_total") else ""
                    found[name + total] = module.at(node)
    return found


@cache
def error_codes() -> dict[str, str]:
    """Stable code of a problem document → where it comes from."""
    found = {error.code: error.__module__ for error in domain_errors()}
    found |= {SpecError.code: SpecError.__module__}
    found |= {error.default_code: error.__module__ for error in exceptions.APIException.__subclasses__()}
    found |= {
        code: problems.__name__ for code, _title, _detail in (*problems._PAGES.values(), problems._DEFECT)
    }
    for module in modules():
        if module.name.startswith("promptstore.cli"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and module.resolve(node.func).endswith(".RenderError"):
                # Codes of the renderer pass through to the APIs.
                found |= {code: module.at(node) for code in _texts(*node.args[:1])}
            if isinstance(node, ast.Call) and _refuses(module, node):
                for keyword in node.keywords:
                    if keyword.arg == "code":
                        found |= dict.fromkeys(_codes(keyword.value), module.at(node))
    return found


@cache
def domain_errors() -> list[type[errors.DomainError]]:
    """Every class of refusal, also of modules that nobody imported yet."""
    for module in modules():
        if any(isinstance(node, ast.ClassDef) for node in module.tree.body):
            importlib.import_module(module.name)
    return list(_subclasses(errors.DomainError))


def _subclasses(base: type[errors.DomainError]) -> Iterator[type[errors.DomainError]]:
    for error in base.__subclasses__():
        yield error
        yield from _subclasses(error)


def _refuses(module: Module, call: ast.Call) -> bool:
    """Whether a call makes a refusal: an error class, or a problem document."""
    name = module.resolve(call.func).rpartition(".")[2]
    return name in {"problem", "fault", "_fault", "refuse", "_refuse"} or name in {
        error.__name__ for error in domain_errors()
    }


def _codes(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from _codes(value.body)
        yield from _codes(value.orelse)
    elif isinstance(value, ast.JoinedStr) and "upstream_" in ast.unparse(value):
        yield from (f"upstream_{kind.value}" for kind in FailureKind)
    else:
        yield from (text for text in _texts(value) if CODE.match(text))
