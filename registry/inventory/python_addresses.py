"""Where a Python expression points: the text or the variable that an address begins with, as far as the source says it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from registry.inventory.python_names import Scope, dotted, root_of

_STEPS = 40
_READERS = frozenset({"os.getenv", "os.environ.get", "environ.get", "getenv", "config", "env", "env.str"})
_TRIMMING = frozenset({"rstrip", "strip", "format", "removesuffix"})
_JOINING = frozenset({"str", "URL", "httpx.URL", "urljoin", "urllib.parse.urljoin"})
_ENVIRONMENTS = frozenset({"os.environ", "environ"})


@dataclass(frozen=True, slots=True)
class Address:
    """`text`: the constant beginning; `variables`: names of variables that stand there instead. Both empty: unknown."""

    text: str = ""
    variables: tuple[str, ...] = ()


def address_of(node: ast.expr, scope: Scope) -> Address:
    """Follows names, joined texts and environment variables; never evaluates anything."""
    seen: tuple[str, ...] = ()
    here: ast.expr | None = node
    for _ in range(_STEPS):
        if here is None:
            break
        if isinstance(here, ast.Constant):
            return Address(here.value if isinstance(here.value, str) else "", seen)
        if isinstance(here, ast.Name | ast.Attribute):
            name = dotted(here)
            seen = (*seen, name.rpartition(".")[2])
            found = scope.lookup(name)
            if found is None or found[0] is here:
                # A method of a text, such as `.rstrip("/")`, leads on to the text; an imported setting keeps its name.
                here = root_of(here) if isinstance(here, ast.Attribute) and name.startswith("()") else None
                continue
            here, scope = found
            continue
        variable, default = _variable(here)
        if variable:
            return Address(_text(default), (*seen, variable))
        here = _beginning(here)
    return Address("", seen)


def _variable(node: ast.expr) -> tuple[str, ast.expr | None]:
    """The environment variable that `node` reads, and its default."""
    if isinstance(node, ast.Subscript) and dotted(node.value) in _ENVIRONMENTS:
        return _text(node.slice), None
    if isinstance(node, ast.Call) and dotted(node.func) in _READERS and node.args:
        return _text(node.args[0]), node.args[1] if len(node.args) > 1 else None
    return "", None


def _beginning(node: ast.expr) -> ast.expr | None:
    """The part of `node` that its value begins with."""
    if isinstance(node, ast.JoinedStr | ast.BoolOp):
        return node.values[0] if node.values else None
    if isinstance(node, ast.FormattedValue):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod | ast.Div):
        return node.left
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr in _TRIMMING:
        return node.func.value
    return node.args[0] if node.args and dotted(node.func) in _JOINING else None


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
