"""The filters, tests and operators of prompt templates, each charged to the rendering's budget.

Names and arguments follow Jinja's own filters; the values are plain JSON. Where text is needed, text is
taken as it is and every other value as JSON (`true`, `null`, `[1,2]`), so a prompt never shows Python
notation.
"""

from __future__ import annotations

import html
import json
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from registry.rendering.budget import Budget
from registry.rendering.errors import RenderError

_WORD: Final = re.compile(r"([-\s({\[<]+)")


class BudgetContext(Context):
    """A template context that carries the budget of its rendering."""

    budget: Budget


def as_text(budget: Budget, value: Any) -> str:
    """Text of a value: text itself, JSON for anything else. Raises for a missing variable."""
    if type(value) is str:
        budget.look_at(len(value))
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError with the variable's name
    text = json.dumps(value, ensure_ascii=False)
    budget.look_at(8 * len(text))
    return text


@pass_context
def finalize(context: BudgetContext, value: Any) -> str:
    """Turn a value into the text that goes into the prompt; the renderer counts it when it arrives."""
    text = as_text(context.budget, value)
    context.budget.require(len(text))
    return text


def _kind(value: Any) -> str:
    names = {
        bool: "true/false",
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _mismatch(message: str) -> RenderError:
    return RenderError("type_mismatch", message)


def _produced(budget: Budget, text: str) -> str:
    budget.look_at(len(text))
    budget.require(len(text))
    return text


def _text_filter(function: Callable[[str], str], *, cost: int = 1) -> Callable[..., str]:
    @pass_context
    def apply(context: BudgetContext, value: Any) -> str:
        text = as_text(context.budget, value)
        context.budget.look_at(cost * len(text))
        return _produced(context.budget, function(text))

    return apply


def _title(text: str) -> str:
    return "".join(part[0].upper() + part[1:].lower() for part in _WORD.split(text) if part)


@pass_context
def _default(_context: BudgetContext, value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    if isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value


@pass_context
def _length(_context: BudgetContext, value: Any) -> int:
    if not isinstance(value, str | list | dict | Undefined):
        raise _mismatch(f"length needs a text, list or object, not {_kind(value)}.")
    return len(value)


def _edge(name: str, index: int) -> Callable[..., Any]:
    @pass_context
    def apply(_context: BudgetContext, value: Any) -> Any:
        if not isinstance(value, str | list | Undefined):
            raise _mismatch(f"{name} needs a list or text, not {_kind(value)}.")
        if not len(value):
            raise RenderError("missing_variable", f"{name} of an empty list: there is no item.")
        return value[index]

    return apply


@pass_context
def _join(context: BudgetContext, value: Any, d: str = "") -> str:
    if not isinstance(value, list | Undefined):
        raise _mismatch(f"join needs a list, not {_kind(value)}.")
    budget = context.budget
    budget.look_at(len(value) * (len(d) + 1))
    parts: list[str] = []
    size = 0
    for item in value:
        parts.append(as_text(budget, item))
        size += len(parts[-1]) + len(d)
        budget.require(size - len(d))
    return d.join(parts)


@pass_context
def _replace(context: BudgetContext, value: Any, old: str, new: str) -> str:
    text = as_text(context.budget, value)
    size = len(text) + text.count(old) * (len(new) - len(old))
    context.budget.look_at(size)
    context.budget.require(size)
    return text.replace(old, new)


@pass_context
def _truncate(
    context: BudgetContext,
    value: Any,
    length: int = 255,
    killwords: bool = False,
    end: str = "...",
    leeway: int = 5,
) -> str:
    text = as_text(context.budget, value)
    if len(text) <= length + leeway:
        return text
    kept = text[: max(length - len(end), 0)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


@pass_context
def _tojson(context: BudgetContext, value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    context.budget.look_at(8 * len(text))
    return _produced(context.budget, text)


_SCALARS: Final = (str, int, float, bool, type(None))
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
}


@pass_context
def compare(context: BudgetContext, left: Any, op: str, right: Any) -> bool:
    """A comparison whose cost is known: scalars with scalars, or a scalar looked up in a list, object or
    text."""
    for value in (left, right):
        if isinstance(value, Undefined):
            str(value)  # raises UndefinedError with the variable's name
    if not isinstance(left, _SCALARS):
        raise _mismatch(f"Cannot compare {_kind(left)}; compare a part of it, or its length.")
    if op in {"in", "notin"}:
        if isinstance(right, str) and not isinstance(left, str):
            raise _mismatch(f"Cannot look for {_kind(left)} in a text.")
        if not isinstance(right, str | list | tuple | dict):
            raise _mismatch(f"`in` needs a list, object or text on its right side, not {_kind(right)}.")
        # A list is searched item by item, an object by hash, a text by machine code.
        steps = 1 if isinstance(right, dict) else len(right) // (32 if isinstance(right, str) else 4)
        context.budget.spend(1 + steps)
        return (left in right) == (op == "in")
    if not isinstance(right, _SCALARS):
        raise _mismatch(f"Cannot compare with {_kind(right)}; compare with a part of it, or its length.")
    if isinstance(left, str) and isinstance(right, str):
        context.budget.look_at(min(len(left), len(right)))
    try:
        return bool(_ORDER[op](left, right))
    except TypeError:
        raise _mismatch(f"Cannot order {_kind(left)} and {_kind(right)}.") from None


@pass_context
def each(context: BudgetContext, value: Any, weight: int) -> Any:
    """The items a loop runs over, all iterations paid in advance: `weight` steps each."""
    if not isinstance(value, list | dict | Undefined):
        raise _mismatch(f"A loop needs a list, not {_kind(value)}.")
    context.budget.spend(weight * len(value))
    return value


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "capitalize": _text_filter(str.capitalize),
    "count": _length,
    "d": _default,
    "default": _default,
    "e": _text_filter(html.escape),
    "escape": _text_filter(html.escape),
    "first": _edge("first", 0),
    "join": _join,
    "last": _edge("last", -1),
    "length": _length,
    "lower": _text_filter(str.lower),
    "replace": _replace,
    "string": _text_filter(str),
    "title": _text_filter(_title, cost=32),  # split in Python, not by machine code
    "tojson": _tojson,
    "trim": _text_filter(str.strip),
    "truncate": _truncate,
    "upper": _text_filter(str.upper),
}

TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "even": lambda value: isinstance(value, int) and value % 2 == 0,
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: isinstance(value, int) and value % 2 == 1,
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Undefined),
}
