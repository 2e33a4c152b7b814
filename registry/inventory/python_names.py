"""What the names of a Python module stand for: imports, and what was assigned to them, by scope. Nothing runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

_DEEPEST = 64  # of a chain of attributes, or of names that stand for names
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(eq=False, slots=True)
class Scope:
    """A function, class or module. `values` maps a dotted target to what was assigned to it last in the file."""

    symbol: str
    outer: Scope | None
    is_class: bool = False
    values: dict[str, ast.expr] = field(default_factory=dict)

    def lookup(self, target: str) -> tuple[ast.expr, Scope] | None:
        """What `target` stands for here, and the scope in which it was said."""
        scope: Scope | None = self
        while scope is not None:
            if target in scope.values:
                return scope.values[target], scope
            scope = scope.outer
        return None

    def attribute_scope(self) -> Scope:
        """Where `self.x` is kept: the class around, else here."""
        scope: Scope | None = self
        while scope is not None:
            if scope.is_class:
                return scope
            scope = scope.outer
        return self


@dataclass(slots=True)
class Names:
    """A module's names. `imports` maps a local name to the full dotted one, wherever in the file it is imported."""

    imports: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)

    def full(self, local: str) -> str:
        """The full dotted name of what `local` begins with an imported name, else an empty text."""
        head, dot, rest = local.partition(".")
        return f"{self.imports[head]}{dot}{rest}" if head in self.imports else ""


def read_names(tree: ast.Module) -> Names:
    """Imports, assignments and calls of a module, by one walk that does not recurse."""
    names = Names()
    pending: list[tuple[ast.AST, Scope]] = [(tree, Scope("", None))]
    while pending:
        node, scope = pending.pop()
        inner = scope
        if isinstance(node, ast.Import | ast.ImportFrom):
            _import(node, names)
        elif isinstance(node, _SCOPES):
            inner = Scope(_symbol(node, scope), scope, isinstance(node, ast.ClassDef))
        elif isinstance(node, ast.Call):
            names.calls.append((node, scope))
        for target, value in _assigned(node):
            owner = scope.attribute_scope() if target.startswith(("self.", "cls.")) else scope
            owner.values[target] = value
        pending.extend((child, inner) for child in reversed(list(ast.iter_child_nodes(node))))
    return names


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a name with attributes; a call in the chain ends it as `()`; empty for anything else."""
    parts: list[str] = []
    for _ in range(_DEEPEST):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *reversed(parts)])
        else:
            return ".".join(["()", *reversed(parts)]) if parts else ""
    return ""


def root_of(node: ast.expr) -> ast.expr:
    """What a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _symbol(node: ast.AST, scope: Scope) -> str:
    name = getattr(node, "name", "")
    return f"{scope.symbol}.{name}" if scope.symbol and name else name or scope.symbol


def _import(node: ast.Import | ast.ImportFrom, names: Names) -> None:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names.imports[alias.asname or alias.name] = f"{module}.{alias.name}"
        elif alias.asname:
            names.imports[alias.asname] = alias.name
        else:
            head = alias.name.partition(".")[0]
            names.imports[head] = head
            # `import google.genai` makes `google` known; that `google.genai` is used needs no more.


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """`(dotted target, value)` of each plain assignment that `node` itself makes."""
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        pairs = [(node.target, node.value)]
    elif isinstance(node, ast.With | ast.AsyncWith):
        pairs = [(item.optional_vars, item.context_expr) for item in node.items if item.optional_vars]
    elif isinstance(node, ast.arguments):
        plain = [*node.posonlyargs, *node.args]
        named = plain[len(plain) - len(node.defaults) :] if node.defaults else []
        for argument, default in zip(named, node.defaults, strict=True):
            yield argument.arg, default
        return
    else:
        return
    for target, value in pairs:
        name = dotted(target)
        if name and not name.startswith("()"):
            yield name, value
