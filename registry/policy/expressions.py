"""Regular expressions whose cost is bounded by construction.

Repeats have upper bounds, and all repeats together multiply to at most `MAX_REPEAT_PRODUCT` ways per starting point.
"""

from __future__ import annotations

import re
import re._constants as opcodes  # type: ignore[import-not-found]  # the parser has no stubs
import re._parser as regex_parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.policy.errors import PolicyError
from registry.policy.normalising import normalise

MAX_REPEAT_PRODUCT = 1_000

_SIMPLE = {opcodes.LITERAL, opcodes.NOT_LITERAL, opcodes.ANY, opcodes.IN, opcodes.AT}
_EDGES = {opcodes.AT_BOUNDARY, opcodes.AT_NON_BOUNDARY}
_ENDS = {opcodes.AT_END, opcodes.AT_END_STRING}


def compile_expression(source: str, field: str) -> re.Pattern[str]:
    """A regular expression of the safe subset, matched against normalised text. Raises `PolicyError`.

    Allowed: literals, classes, `.`, anchors, groups, alternatives, and repeats with an upper bound (`?`,
    `{0,20}`). Refused: `*`, `+`, back-references, look-around, inline flags.
    """
    # Letters beyond ASCII are folded as the text is; syntax is ASCII and stays as it is.
    source = "".join(char if char.isascii() else normalise(char) for char in source)
    try:
        parsed = regex_parser.parse(source)
        compiled = re.compile(source, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(field, f"Not a regular expression: {error}.") from error
    if parsed.state.flags & ~re.UNICODE:
        raise PolicyError(field, "Inline flags are not allowed; text is normalised and lower-cased first.")
    ways = _ways(parsed, field)
    if ways > MAX_REPEAT_PRODUCT:
        raise PolicyError(field, f"Too many ways to match ({ways}); bound the repeats more tightly.")
    if compiled.match(""):
        raise PolicyError(field, "This expression matches everything, even nothing.")
    return compiled


@dataclass(frozen=True, slots=True)
class Reach:
    """How much text decides a match: `shortest` to `longest` characters, and what is beside them.

    `edges` says that `\\b` or `\\B` looks at the next character; `ends` that `$` or `\\Z` looks for the end of all text.
    """

    shortest: int
    longest: int
    edges: bool
    ends: bool


def reach(expression: re.Pattern[str]) -> Reach:
    """Of an expression that `compile_expression` made."""
    parsed = regex_parser.parse(expression.pattern)
    shortest, longest = parsed.getwidth()
    anchors = set(_anchors(parsed))
    return Reach(shortest, longest, bool(anchors & _EDGES), bool(anchors & _ENDS))


def _anchors(parsed: Any) -> Iterator[Any]:
    for opcode, argument in parsed:
        if opcode is opcodes.AT:
            yield argument
        elif opcode is opcodes.SUBPATTERN:
            yield from _anchors(argument[3])
        elif opcode is opcodes.BRANCH:
            for branch in argument[1]:
                yield from _anchors(branch)
        elif opcode in {opcodes.MAX_REPEAT, opcodes.MIN_REPEAT}:
            yield from _anchors(argument[2])


def _ways(parsed: Any, field: str) -> int:
    """An upper bound of the paths a backtracking matcher can take from one starting point."""
    ways = 1
    for opcode, argument in parsed:
        if opcode in _SIMPLE:
            continue
        if opcode is opcodes.SUBPATTERN:
            ways *= _ways(argument[3], field)
        elif opcode is opcodes.BRANCH:
            ways *= sum(_ways(branch, field) for branch in argument[1])
        elif opcode in {opcodes.MAX_REPEAT, opcodes.MIN_REPEAT}:
            low, high, inner = argument
            if high is opcodes.MAXREPEAT:
                raise PolicyError(
                    field, "Give every repeat an upper bound, such as {0,20} instead of * or +."
                )
            per_round = _ways(inner, field)
            # `n` rounds of `w` ways: at most w^0 + … + w^n, cut off once it is clearly too many.
            ways *= sum(min(per_round**n, MAX_REPEAT_PRODUCT + 1) for n in range(low, min(high, 2_000) + 1))
        else:
            raise PolicyError(field, f"{str(opcode).lower()} is not allowed in this subset.")
        if ways > MAX_REPEAT_PRODUCT:
            return ways
    return ways
