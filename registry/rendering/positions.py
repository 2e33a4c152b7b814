"""Exact positions of template tokens.

Jinja's syntax tree keeps line numbers only. Its parser, though, copies the number of a token to the node it
makes and never calculates with it; so the tokens given to it here carry their *character offset* in place
of the line, and every node and syntax error comes back with the exact place. `SourceMap` turns an offset
into line and column.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, TemplateSyntaxError

_NEWLINE: Final = re.compile(r"\r\n|\r")


def normalise_newlines(source: str) -> str:
    """The text as Jinja's lexer sees it: every line break is one `\\n`."""
    return _NEWLINE.sub("\n", source) if "\r" in source else source


@dataclass(frozen=True, slots=True)
class RawToken:
    """One token of Jinja's lexer: its start, its kind in the lexer's own words, and its text."""

    offset: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        """Offset of the first character after the token."""
        return self.offset + len(self.text)


class SourceMap:
    """Line and column of an offset, counted from 1 in code points."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._length = len(source)

    def position(self, offset: int) -> tuple[int, int]:
        """`(line, column)` of a character."""
        offset = min(max(offset, 0), self._length)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> tuple[int, int, int]:
        """`(line, column, end_column)`; a span over several lines is cut at the end of its first line."""
        line, column = self.position(start)
        line_end = self._starts[line] - 1 if line < len(self._starts) else self._length
        return line, column, max(column + 1, min(end, line_end) - self._starts[line - 1] + 1)


def scan(environment: Environment, source: str) -> Iterator[RawToken]:
    """Tokens of `source` (with normalised newlines) and where they are.

    Raises `TemplateSyntaxError` whose `lineno` is the *offset* of the offending character. The lexer leaves
    out white space before a tag with a minus sign (`{%-`), so a token may start after a gap of white space.
    """
    position = 0
    try:
        for _line, kind, text in environment.lexer.tokeniter(source, None):
            while not source.startswith(text, position):
                if position >= len(source) or not source[position].isspace():
                    raise AssertionError("the lexer's tokens do not follow the source")
                position += 1
            yield RawToken(position, kind, text)
            position += len(text)
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(error.message or "invalid template", position) from error
