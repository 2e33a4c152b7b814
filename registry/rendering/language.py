"""The template language as data: what a published template may use.

The subset is chosen so that the cost of one rendering is bounded by the size of the template and of the
values, before anything is compiled: no assignment, no call, no arithmetic, no literal to loop over. Every
filter is here with the kinds of arguments it takes; each is charged to the rendering's budget
(`registry.rendering.filters`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from jinja2 import nodes

from registry.rendering import limits


class Argument(StrEnum):
    """What a filter argument may be; all but `value` must be literals."""

    TEXT = "a text literal"
    WORD = "a non-empty text literal"
    COUNT = "a whole number"
    FLAG = "true or false"
    VALUE = "a literal or a variable"


@dataclass(frozen=True, slots=True)
class FilterSignature:
    """Parameters by name, in order; the first `required` of them must be given."""

    parameters: tuple[tuple[str, Argument], ...] = ()
    required: int = 0


_NONE: Final = FilterSignature()
_DEFAULT: Final = FilterSignature((("default_value", Argument.VALUE), ("boolean", Argument.FLAG)))

FILTERS: Final[dict[str, FilterSignature]] = {
    "capitalize": _NONE,
    "count": _NONE,
    "d": _DEFAULT,
    "default": _DEFAULT,
    "e": _NONE,
    "escape": _NONE,
    "first": _NONE,
    "join": FilterSignature((("d", Argument.TEXT),)),
    "last": _NONE,
    "length": _NONE,
    "lower": _NONE,
    "replace": FilterSignature((("old", Argument.WORD), ("new", Argument.TEXT)), required=2),
    "string": _NONE,
    "title": _NONE,
    "tojson": _NONE,
    "trim": _NONE,
    "truncate": FilterSignature(
        (
            ("length", Argument.COUNT),
            ("killwords", Argument.FLAG),
            ("end", Argument.TEXT),
            ("leeway", Argument.COUNT),
        )
    ),
    "upper": _NONE,
}

TESTS: Final = frozenset(
    {
        "boolean",
        "defined",
        "even",
        "false",
        "float",
        "integer",
        "mapping",
        "none",
        "number",
        "odd",
        "string",
        "true",
    }
    | {"undefined"}
)

LOOP_ATTRIBUTES: Final = frozenset({"first", "index", "index0", "last", "length", "revindex", "revindex0"})

RESERVED_NAMES: Final = frozenset({"self", "super", "caller", "varargs", "kwargs", "loop"})

BLOCK_OPENERS: Final = frozenset(
    {"if", "for", "macro", "call", "filter", "block", "with", "set", "autoescape"}
)

_ARITHMETIC: Final = "Compute the number before the call and pass it as a variable of its own."
_WRITE_OUT: Final = "Put the parts next to each other, as in {{ a }}{{ b }}."

REFUSED: Final[dict[type[nodes.Node], tuple[str, str]]] = {
    nodes.Add: ("Arithmetic (+)", _ARITHMETIC),
    nodes.Sub: ("Arithmetic (-)", _ARITHMETIC),
    nodes.Mul: ("Multiplication (*)", _ARITHMETIC),
    nodes.Div: ("Division (/)", _ARITHMETIC),
    nodes.FloorDiv: ("Division (//)", _ARITHMETIC),
    nodes.Mod: ("The % operator", _ARITHMETIC),
    nodes.Pow: ("Exponentiation (**)", _ARITHMETIC),
    nodes.Pos: ("A plus sign", _ARITHMETIC),
    nodes.Neg: ("A minus sign before anything but a number", _ARITHMETIC),
    nodes.Concat: ("Joining with ~", _WRITE_OUT),
    nodes.Call: ("A call", "Templates cannot call anything; use a filter, or pass the result as a variable."),
    nodes.Slice: ("A slice", "Pass the shortened list or text as a variable, or use the truncate filter."),
    nodes.List: ("A list literal outside of `in`", "Pass the list as a variable."),
    nodes.Tuple: ("A tuple outside of `in`", "Separate expressions need their own {{ }}."),
    nodes.Dict: ("An object literal", "Pass the object as a variable."),
    nodes.Assign: ("set", "Pass the value as a variable of its own."),
    nodes.AssignBlock: ("set", "Pass the value as a variable of its own."),
    nodes.Macro: ("macro", "Write the text out where it is used."),
    nodes.CallBlock: ("call", "Write the text out where it is used."),
    nodes.FilterBlock: ("A filter block", "Apply the filter to each variable, as in {{ name|upper }}."),
    nodes.With: ("with", "Use the full path of the variable."),
    nodes.Block: ("block", "Templates do not inherit; write the text in place."),
    nodes.Extends: ("extends", "Templates do not inherit; write the text in place."),
    nodes.Include: ("include", "Templates cannot read other files or templates; write the text in place."),
    nodes.Import: ("import", "Templates cannot read other files or templates."),
    nodes.FromImport: ("import", "Templates cannot read other files or templates."),
    nodes.ScopedEvalContextModifier: (
        "autoescape",
        "Prompts are plain text; use the escape filter where needed.",
    ),
}

FILTER_HINTS: Final = {
    "attr": "Write the attribute as variable.name.",
    "center": "It can make text of any width; write the spaces in the template.",
    "format": "Write the text around the variable, or pass formatted text.",
    "indent": "Indent the text before the call, or in the template.",
    "map": "Use a for loop.",
    "select": "Use a for loop with an if inside.",
    "selectattr": "Use a for loop with an if inside.",
    "sort": "Pass the list sorted.",
    "safe": "Prompts are plain text: nothing is escaped unless you ask for it.",
    "int": "Pass the number as a number.",
    "slice": "Pass the list in the shape you need.",
    "batch": "Pass the list in the shape you need.",
    "wordwrap": "Pass the text wrapped.",
}

MAX_TRUNCATE: Final = limits.MAX_OUTPUT_CHARS
