"""The environment in which published templates run."""

from __future__ import annotations

from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from registry.rendering import filters, language

COMPARE = "compare"
EACH = "each"


class MissingVariable(StrictUndefined):
    """A variable or key the caller did not pass; touching it is an error that names it."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)[:80]
        if isinstance(self._undefined_obj, dict):
            return f"The value has no key “{name}”."
        if isinstance(self._undefined_obj, list):
            return f"The list has no item {name}."
        return f"The variable “{name}” is missing."


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox that holds nothing but the subset's filters and tests, and reads nothing but JSON.

    Stock Jinja tries Python attributes before keys, so `{{ order.items }}` would print a bound method. Here
    a name after a dot is a key of an object, a number is an index of a list, and nothing else is readable.
    """

    context_class = filters.BudgetContext

    def __init__(self) -> None:
        super().__init__(
            undefined=MissingVariable,
            finalize=filters.finalize,
            autoescape=False,  # prompts are plain text
            keep_trailing_newline=True,
            optimized=False,
            cache_size=0,
        )
        self.globals.clear()
        self.tests = dict(filters.TESTS)
        self.filters = {**filters.FILTERS, COMPARE: filters.compare, EACH: filters.each}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key (`a.b`)."""
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and attribute in language.LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            str(obj)  # raises UndefinedError with the variable's name
        return self.undefined(obj={}, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read a key or an index (`a["b"]`, `a[0]`)."""
        if isinstance(obj, list) and type(argument) is int:
            if -len(obj) <= argument < len(obj):
                return obj[argument]
            return self.undefined(obj=obj, name=str(argument))
        return self.getattr(obj, argument)


class BudgetTransformer(NodeTransformer):
    """Puts the budget into a checked tree: comparisons and loops go through filters that charge for them."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:  # noqa: N802 - Jinja's visitor protocol
        """`a < b < c` becomes `compare(a, "lt", b) and compare(b, "lt", c)`."""
        self.generic_visit(node)
        left: nodes.Expr = node.expr
        result: nodes.Expr | None = None
        for operand in node.ops:
            arguments = [nodes.Const(operand.op, lineno=node.lineno), operand.expr]
            step = nodes.Filter(left, COMPARE, arguments, [], None, None, lineno=node.lineno)
            result = step if result is None else nodes.And(result, step, lineno=node.lineno)
            left = operand.expr
        assert result is not None, "the parser makes no comparison without an operator"
        return result

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's visitor protocol
        """`for x in xs` becomes `for x in each(xs, weight)`; the weight is the size of the body."""
        weight = nodes.Const(2 + sum(_size(child) for child in node.body), lineno=node.lineno)
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, EACH, [weight], [], None, None, lineno=node.lineno)
        return node


def _size(node: nodes.Node) -> int:
    return 1 + sum(_size(child) for child in node.iter_child_nodes())
