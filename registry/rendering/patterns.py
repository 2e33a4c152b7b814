"""Regular expressions from outside: which ones are accepted, and how long they may run.

A pattern is hostile twice. Nested counted repeats such as `((a{1000}){1000}){1000}` explode while being
*compiled*, so a pattern is weighed before any engine sees it. Nested open repeats such as `(a+)+$` take
exponential time while *matching*, so matching runs on the `regex` engine, which stops when its time is up.
The accepted syntax is what ECMAScript and Python share, which is what JSON Schema recommends.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Final

import regex

from registry.rendering import limits

_GROUP: Final = re.compile(r"\?(?::|=|!|<=|<!|<[A-Za-z_]\w{0,63}>)")
_ESCAPE: Final = re.compile(r"\\(?:[pPukx]\{[^}\\]{0,40}\}|k<\w{0,64}>|.)", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT: Final = re.compile(r"\{(\d{1,6})(?:,(\d{0,6}))?\}")


class PatternError(ValueError):
    """The pattern is not accepted; the text says why."""


class PatternTimeoutError(Exception):
    """Matching was stopped."""


@lru_cache(maxsize=1_024)
def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """Compile an accepted pattern; raises `PatternError`."""
    if len(pattern) > limits.MAX_PATTERN_CHARS:
        raise PatternError(f"The pattern is longer than {limits.MAX_PATTERN_CHARS} characters.")
    if _weight(pattern) > limits.MAX_PATTERN_WEIGHT:
        raise PatternError("The pattern's counted repeats multiply to too much; use smaller counts.")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        raise PatternError(f"The pattern is not a regular expression: {str(error)[:120]}.") from error


def matches(pattern: str, text: str, seconds: float) -> tuple[bool, float]:
    """Whether the pattern is found in the text, and the seconds that took.

    Raises `PatternError`, or `PatternTimeoutError` when `seconds` are used up or the text is longer than is
    matched.
    """
    compiled = compile_pattern(pattern)
    if seconds <= 0 or len(text) > limits.MAX_PATTERN_TEXT_CHARS:
        raise PatternTimeoutError
    started = time.perf_counter()
    try:
        found = compiled.search(text, timeout=seconds) is not None
    except TimeoutError:
        raise PatternTimeoutError from None
    return found, time.perf_counter() - started


def _weight(pattern: str) -> int:
    """Atoms of the pattern with counted repeats written out; refuses syntax beyond the accepted."""
    totals, last, position = [0], 0, 0
    while position < len(pattern):
        char = pattern[position]
        end = position + 1
        if char == "(":
            end = _group_start(pattern, position)
            if len(totals) > limits.MAX_PATTERN_GROUPS:
                raise PatternError("The pattern's groups are nested too deeply.")
            totals.append(0)
            last = 0
        elif char == ")" and len(totals) > 1:
            last = 1 + totals.pop()
            totals[-1] += last
        elif char == "{":
            repeat = _REPEAT.match(pattern, position)
            if repeat is None:
                raise PatternError("A brace that is no repeat count is written \\{ in a pattern.")
            end = repeat.end()
            times = max(int(repeat[1]), int(repeat[2] or 0), 1)
            totals[-1] += last * (times - 1)
            last *= times
        elif char not in "*+?|^$":
            end = _atom_end(pattern, position)
            last = 1
            totals[-1] += 1
        position = end
    return sum(totals)


def _group_start(pattern: str, position: int) -> int:
    if pattern[position + 1 : position + 2] != "?":
        return position + 1
    kind = _GROUP.match(pattern, position + 1)
    if kind is None:
        raise PatternError("This kind of group is not available in patterns; use (…), (?:…), (?=…) or (?!…).")
    return kind.end()


def _atom_end(pattern: str, position: int) -> int:
    for complex_atom in (_ESCAPE, _CLASS):
        match = complex_atom.match(pattern, position)
        if match is not None:
            return match.end()
    return position + 1
