"""The allowlist walk over a template's syntax tree."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes

from registry.rendering import language, limits
from registry.rendering.filter_arguments import argument_problem
from registry.rendering.findings import Finding, Severity
from registry.rendering.json_values import text_problem
from registry.rendering.parsing import ParsedTemplate
from registry.rendering.spans import Spans
from registry.rendering.variables import Use, VariableUse

NOT_IN_SUBSET: Final = "not-in-subset"
ITEM: Final = "[]"

Path = tuple[str, ...]


class SubsetWalker:
    """Collects variable uses and refusals. One instance walks one template whose depth was checked before."""

    def __init__(self, parsed: ParsedTemplate) -> None:
        self.findings: list[Finding] = []
        self.variables: list[VariableUse] = []
        self._spans = Spans(parsed)
        self._scopes: list[dict[str, Path]] = []
        self._expressions: dict[type[nodes.Node], Callable[[Any, Use, bool], None]] = {
            nodes.And: self._either,
            nodes.Or: self._either,
            nodes.Not: self._not,
            nodes.Compare: self._compare,
            nodes.CondExpr: self._inline_if,
            nodes.Const: self._const,
            nodes.Filter: self._filter,
            nodes.Getattr: self._access,
            nodes.Getitem: self._access,
            nodes.Name: self._access,
            nodes.Neg: self._negative,
            nodes.Test: self._test,
        }

    def walk(self, tree: nodes.Template) -> None:
        """Visit the whole template."""
        self._body(tree.body)

    # Statements

    def _body(self, body: list[nodes.Node]) -> None:
        for node in body:
            if isinstance(node, nodes.Output):
                for child in node.nodes:
                    if not isinstance(child, nodes.TemplateData):
                        self._visit(child, Use.OUTPUT)
            elif isinstance(node, nodes.If):
                self._if(node)
            elif isinstance(node, nodes.For):
                self._for(node)
            elif isinstance(node, nodes.Scope):
                self._body(node.body)
            else:
                self._refuse_node(node, self._spans.of_token(node.lineno))

    def _if(self, node: nodes.If) -> None:
        if len(node.elif_) > limits.MAX_ELIF_BRANCHES:
            span = self._spans.of(node.elif_[limits.MAX_ELIF_BRANCHES].test)
            hint = "Pass a variable that already holds the text."
            self._refuse(span, f"One if has more than {limits.MAX_ELIF_BRANCHES} elif branches.", hint)
            return
        for branch in (node, *node.elif_):
            self._visit(branch.test, Use.CONDITION)
            self._body(branch.body)
        self._body(node.else_)

    def _for(self, node: nodes.For) -> None:
        keyword = self._spans.of_token(node.lineno)
        if node.recursive:
            self._refuse(keyword, "A recursive loop is not available.", "Write a plain for loop.")
        if node.test is not None:
            span = self._spans.of(node.test)
            self._refuse(span, "A condition in the for tag is not available.", "Put an if inside the loop.")
        if len(self._scopes) >= limits.MAX_LOOP_DEPTH:
            message = f"Loops are nested deeper than {limits.MAX_LOOP_DEPTH} levels."
            self._refuse(keyword, message, "Pass the inner part as text.")
            return
        source = self._path(node.iter)
        if source is None:
            span = self._spans.of(node.iter)
            hint = "Write {% for item in items %}, with items passed by the caller."
            self._refuse(span, "A loop can only run over a variable.", hint)
            source = ()
        else:
            self._visit(node.iter, Use.LOOP)
        scope: dict[str, Path] = {}
        if isinstance(node.target, nodes.Name):
            if self._check_name(node.target.name, self._spans.of(node.target)):
                scope[node.target.name] = (*source, ITEM)
        else:
            span = self._spans.of(node.target)
            self._refuse(
                span, "A loop has exactly one loop variable.", "Use item[0], item[1] inside the loop."
            )
            scope = {name.name: () for name in node.target.find_all(nodes.Name)}
        self._scopes.append(scope)
        self._body(node.body)
        self._scopes.pop()
        self._body(node.else_)

    # Expressions

    def _visit(self, node: nodes.Node | None, use: Use, guarded: bool = False) -> None:
        if node is None:
            return
        handler = self._expressions.get(type(node))
        if handler is not None:
            handler(node, use, guarded)
            return
        self._refuse_node(node, self._spans.of(node))
        if not isinstance(node, nodes.Call):
            for child in node.iter_child_nodes():
                self._visit(child, use, guarded)

    def _either(self, node: nodes.And | nodes.Or, use: Use, guarded: bool) -> None:
        self._visit(node.left, use, guarded)
        self._visit(node.right, use, guarded)

    def _not(self, node: nodes.Not, _use: Use, guarded: bool) -> None:
        self._visit(node.node, Use.CONDITION, guarded)

    def _compare(self, node: nodes.Compare, _use: Use, guarded: bool) -> None:
        self._visit(node.expr, Use.CONDITION, guarded)
        for operand in node.ops:
            if operand.op in {"in", "notin"} and isinstance(operand.expr, nodes.List | nodes.Tuple):
                for item in operand.expr.items:
                    if isinstance(item, nodes.Const):
                        self._const(item, Use.CONDITION, False)
                    else:
                        hint = "Pass the list as a variable."
                        self._refuse(self._spans.of(item), "A list after `in` holds literals only.", hint)
            else:
                self._visit(operand.expr, Use.CONDITION, guarded)

    def _inline_if(self, node: nodes.CondExpr, use: Use, guarded: bool) -> None:
        self._visit(node.test, Use.CONDITION, guarded)
        self._visit(node.expr1, use, guarded)
        if node.expr2 is None:
            self._refuse(self._spans.of(node), "An inline if needs an else.", 'Add else "" at the end.')
        self._visit(node.expr2, use, guarded)

    def _const(self, node: nodes.Const, _use: Use, _guarded: bool) -> None:
        value = node.value
        if isinstance(value, str) and (problem := text_problem(value)):
            self._refuse(
                self._spans.of(node), f"The text literal is not usable: {problem}.", "Write plain text."
            )
        elif isinstance(value, float) and not math.isfinite(value):
            self._refuse(self._spans.of(node), "The number is too large.", "Use a smaller number.")

    def _negative(self, node: nodes.Neg, use: Use, _guarded: bool) -> None:
        child = node.node
        if isinstance(child, nodes.Const) and type(child.value) in {int, float}:
            self._const(child, use, False)
        else:
            self._refuse_node(node, self._spans.of(node))

    def _access(self, node: nodes.Name | nodes.Getattr | nodes.Getitem, use: Use, guarded: bool) -> None:
        path = self._path(node)
        if path is None:
            base = self._checked_base(node)
            if isinstance(base, nodes.Filter):
                self._filter(base, use, guarded)
            elif not isinstance(base, nodes.Name):
                hint = "Use variable.name, variable['name'] or variable[0]."
                self._refuse(self._spans.of(node), "Only parts of variables can be read.", hint)
            return
        base = self._checked_base(node)
        if not isinstance(base, nodes.Name):
            return
        if base.name == "loop" and self._scopes:
            self._check_loop_attribute(node)
            return
        in_loop = any(base.name in scope for scope in self._scopes)
        span = self._spans.of(node)
        if not in_loop and not self._check_name(base.name, span):
            return
        if path and path[0] != ITEM:
            self.variables.append(VariableUse(path, use, guarded, *span))

    def _check_loop_attribute(self, node: nodes.Name | nodes.Getattr | nodes.Getitem) -> None:
        direct = isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name)
        if not direct or node.attr not in language.LOOP_ATTRIBUTES:  # type: ignore[union-attr]
            known = ", ".join(f"loop.{name}" for name in sorted(language.LOOP_ATTRIBUTES))
            self._refuse(self._spans.of(node), "This part of loop is not available.", f"Use one of: {known}.")

    def _checked_base(self, node: nodes.Expr) -> nodes.Expr:
        """Follow an access chain down to what it starts from, refusing keys that are not plain."""
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            if isinstance(node, nodes.Getitem):
                key = _literal_key(node.arg)
                if isinstance(node.arg, nodes.Slice):
                    self._refuse_node(node.arg, self._spans.of(node))
                elif key is None:
                    hint = "Use variable.name, variable['name'] or variable[0]."
                    self._refuse(self._spans.of(node), "Access needs a literal name or number.", hint)
                elif isinstance(key, str):
                    self._check_key(key, node)
            else:
                self._check_key(node.attr, node)
            node = node.node
        return node

    def _check_key(self, key: str, node: nodes.Expr) -> None:
        if key.startswith("__") or text_problem(key):
            hint = "Rename the key; values are plain JSON and have no Python attributes."
            self._refuse(
                self._spans.of(node), "Keys that start with two underscores are not available.", hint
            )

    def _check_name(self, name: str, span: tuple[int, int, int]) -> bool:
        if name in language.RESERVED_NAMES or name.startswith("__"):
            self._refuse(span, f"The name {name[:80]} is reserved.", "Choose another variable name.")
            return False
        if unicodedata.normalize("NFKC", name) != name:
            hint = "Type the name with ordinary letters."
            self._refuse(span, f"The name {name[:80]} has look-alike letters that Python would fold.", hint)
            return False
        return True

    def _path(self, node: nodes.Node) -> Path | None:
        """The path a chain of accesses reads, seen from the caller's variables; None if it is no such
        chain."""
        parts: list[str] = []
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            if isinstance(node, nodes.Getattr):
                parts.append(node.attr)
            else:
                key = _literal_key(node.arg)
                if key is None:
                    return None
                parts.append(key if isinstance(key, str) else ITEM)
            node = node.node
        if not isinstance(node, nodes.Name):
            return None
        for scope in reversed(self._scopes):
            if node.name in scope:
                return (*scope[node.name], *reversed(parts))
        return (node.name, *reversed(parts))

    def _test(self, node: nodes.Test, _use: Use, guarded: bool) -> None:
        if node.name not in language.TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            known = ", ".join(sorted(language.TESTS))
            message = f"The test {node.name[:80]} is not available here."
            self._refuse(self._spans.test_name(node), message, f"Available are: {known}; or compare with ==.")
        self._visit(node.node, Use.CONDITION, guarded or node.name in {"defined", "undefined"})

    def _filter(self, node: nodes.Filter, use: Use, guarded: bool) -> None:
        signature = language.FILTERS.get(node.name)
        span = self._spans.of_token(node.lineno)
        if signature is None:
            known = ", ".join(sorted(language.FILTERS))
            hint = language.FILTER_HINTS.get(node.name, f"Available are: {known}.")
            self._refuse(span, f"The filter {node.name[:80]} is not available.", hint)
        elif problem := argument_problem(node, signature):
            self._refuse(span, f"The filter {node.name}: {problem}.", "Correct its arguments.")
        is_default = node.name in {"default", "d"}
        self._visit(node.node, use, guarded or is_default)
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self._visit(argument, use, guarded)

    # Refusals

    def _refuse_node(self, node: nodes.Node, span: tuple[int, int, int]) -> None:
        what, hint = language.REFUSED.get(type(node), (type(node).__name__, "Use a simpler expression."))
        self._refuse(span, f"{what} is not available in prompt templates.", hint)

    def _refuse(self, span: tuple[int, int, int], message: str, hint: str) -> None:
        line, column, end_column = span
        self.findings.append(
            Finding(
                NOT_IN_SUBSET,
                Severity.ERROR,
                message,
                hint,
                line=line,
                column=column,
                end_column=end_column,
            )
        )


def _literal_key(node: nodes.Node) -> str | int | None:
    """The literal between brackets: a name, or a number that may be negative."""
    sign = 1
    if isinstance(node, nodes.Neg):
        node, sign = node.node, -1
    if not isinstance(node, nodes.Const):
        return None
    if type(node.value) is int:
        return sign * node.value
    return node.value if type(node.value) is str and sign == 1 else None
