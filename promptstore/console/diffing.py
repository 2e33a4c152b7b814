"""Differences between two texts, as segments and as lines ready to show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

MAX_REFINED_TOKENS = 4_000
_TOKEN = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


class Op(StrEnum):
    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True)
class Segment:
    """A piece of text that both sides share, or that one side adds."""

    op: Op
    text: str


@dataclass
class Line:
    """One line of one side. `number` is `None` where the side has no such line."""

    number: int | None
    segments: list[Segment] = field(default_factory=list)
    has_change: bool = False


@dataclass(frozen=True)
class Row:
    """Two lines beside each other."""

    before: Line
    after: Line


def segments_of(before: str, after: str) -> list[Segment]:
    """Segments that turn `before` into `after`: whole lines first, words inside the lines that were rewritten.

    Deletions come before the insertions that replace them. A rewritten block of more than `MAX_REFINED_TOKENS` words is
    shown as one deletion and one insertion, because matching words takes quadratic time.
    """
    old, new = before.split("\n"), after.split("\n")
    found: list[Segment] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = _lines(old, i1, i2), _lines(new, j1, j2)
        if tag != "equal":
            found.extend(_words(removed, added))
            continue
        found.append(Segment(Op.EQUAL, min(removed, added, key=len)))
        # The same last line, but only one side goes on after it: the line end itself is the difference.
        if len(removed) > len(added):
            found.append(Segment(Op.DELETE, "\n"))
        elif len(added) > len(removed):
            found.append(Segment(Op.INSERT, "\n"))
    return [segment for segment in found if segment.text]


def _lines(lines: list[str], start: int, stop: int) -> str:
    """Lines `start:stop` with their line ends; the very last line of a text has none."""
    text = "\n".join(lines[start:stop])
    return f"{text}\n" if start < stop < len(lines) else text


def _words(removed: str, added: str) -> list[Segment]:
    old, new = _TOKEN.findall(removed), _TOKEN.findall(added)
    if not old or not new or len(old) + len(new) > MAX_REFINED_TOKENS:
        pairs = [(Op.DELETE, removed), (Op.INSERT, added)]
    else:
        pairs = []
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "equal":
                pairs.append((Op.EQUAL, "".join(old[i1:i2])))
            else:
                pairs += [(Op.DELETE, "".join(old[i1:i2])), (Op.INSERT, "".join(new[j1:j2]))]
    return [Segment(op, text) for op, text in pairs if text]


def as_segments(items: Iterable[Any]) -> list[Segment]:
    """Segments from `(op, text)` pairs, mappings, or objects with `op` and `text`."""
    found: list[Segment] = []
    for item in items:
        if isinstance(item, Mapping):
            op, text = item["op"], item["text"]
        elif isinstance(item, tuple | list):
            op, text = item
        else:
            op, text = item.op, item.text
        found.append(Segment(Op(str(op)), str(text)))
    return found


def side_by_side(segments: Iterable[Segment]) -> list[Row]:
    """Rows for the split view: equal line ends keep both sides level, changed ones leave a gap on the shorter side."""
    rows: list[Row] = []
    befores, afters = [Line(1)], [Line(1)]
    for segment in segments:
        for piece in segment.text.splitlines(keepends=True):
            text, ends = piece.rstrip("\n"), piece.endswith("\n")
            if segment.op is Op.EQUAL and not befores[-1].segments and not afters[-1].segments:
                rows.extend(_level(befores[:-1], afters[:-1]))
                befores, afters = befores[-1:], afters[-1:]
            if segment.op is not Op.INSERT:
                _extend(befores, Segment(segment.op, text), ends=ends)
            if segment.op is not Op.DELETE:
                _extend(afters, Segment(segment.op, text), ends=ends)
    rows.extend(_level(befores, afters))
    return rows


def _extend(lines: list[Line], segment: Segment, *, ends: bool) -> None:
    line = lines[-1]
    # A line end alone does not make the line before it a changed one; an added empty line is a change.
    is_change = segment.op is not Op.EQUAL and (segment.text != "" or not line.segments)
    line.segments.append(segment)
    line.has_change = line.has_change or is_change
    if ends:
        lines.append(Line((line.number or 0) + 1))


def _level(befores: list[Line], afters: list[Line]) -> Iterator[Row]:
    height = max(len(befores), len(afters))
    for position in range(height):
        yield Row(
            befores[position] if position < len(befores) else Line(None),
            afters[position] if position < len(afters) else Line(None),
        )
