"""Word-level differences between two prompts, for people to read.

Lines first, then words inside changed stretches. Both levels are cut at anchors, tokens that occur once on
each side (Bram Cohen's patience diff), which takes n log n; only small stretches without anchors are
compared exhaustively, and large ones are shown as replaced. So a 100 KB prompt is compared in a fraction of
a second, whatever it contains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

from registry.rendering.anchors import compare
from registry.rendering.json_lines import json_lines
from registry.rendering.spec import Message, PromptSpec

# Words, runs of white space, and single characters of scripts that do not separate words.
# Joined, the pieces are the text.
_WORDS: Final = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u0e00-\u0eff\u3040-\ud7af]+|\s+|.",
    re.DOTALL,
)
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")


class SegmentKind(StrEnum):
    """What happened to a stretch of text."""

    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text; equal and delete segments joined are the old text, equal and insert segments the
    new one."""

    kind: SegmentKind
    text: str


@dataclass(frozen=True, slots=True)
class MessageDiff:
    """One message of the old and the new prompt beside each other; an index is None where it has no
    partner."""

    old_index: int | None
    new_index: int | None
    old_role: str | None
    new_role: str | None
    segments: tuple[Segment, ...]

    @property
    def changed(self) -> bool:
        """Whether role, place among its partners or text differ."""
        return self.old_role != self.new_role or any(s.kind is not SegmentKind.EQUAL for s in self.segments)


@dataclass(frozen=True, slots=True)
class PromptDiff:
    """Messages in reading order, and the other parts as canonical JSON, one value a line."""

    messages: tuple[MessageDiff, ...]
    input_schema: tuple[Segment, ...]
    output_schema: tuple[Segment, ...]
    tools: tuple[Segment, ...]
    params: tuple[Segment, ...]


def diff_texts(old: str, new: str) -> tuple[Segment, ...]:
    """The segments that lead from one text to the other; neighbours of one kind are joined."""
    builder = _Builder()
    old_lines, new_lines = _LINES.findall(old), _LINES.findall(new)
    for operation in compare(old_lines, new_lines):
        before = "".join(old_lines[operation.old_start : operation.old_end])
        after = "".join(new_lines[operation.new_start : operation.new_end])
        if operation.equal:
            builder.add(SegmentKind.EQUAL, before)
        elif before and after:
            _diff_words(before, after, builder)
        else:
            builder.add(SegmentKind.DELETE, before)
            builder.add(SegmentKind.INSERT, after)
    return builder.segments()


def _diff_words(old: str, new: str, builder: _Builder) -> None:
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    for operation in compare(old_words, new_words):
        before = "".join(old_words[operation.old_start : operation.old_end])
        if operation.equal:
            builder.add(SegmentKind.EQUAL, before)
        else:
            builder.add(SegmentKind.DELETE, before)
            builder.add(SegmentKind.INSERT, "".join(new_words[operation.new_start : operation.new_end]))


class _Builder:
    """Collects segments, deletions before insertions within one change."""

    def __init__(self) -> None:
        self._done: list[Segment] = []
        self._deleted: list[str] = []
        self._inserted: list[str] = []
        self._equal: list[str] = []

    def add(self, kind: SegmentKind, text: str) -> None:
        if not text:
            return
        if kind is SegmentKind.EQUAL:
            self._flush_change()
            self._equal.append(text)
            return
        self._flush_equal()
        (self._deleted if kind is SegmentKind.DELETE else self._inserted).append(text)

    def _flush_equal(self) -> None:
        if self._equal:
            self._done.append(Segment(SegmentKind.EQUAL, "".join(self._equal)))
            self._equal = []

    def _flush_change(self) -> None:
        if self._deleted:
            self._done.append(Segment(SegmentKind.DELETE, "".join(self._deleted)))
        if self._inserted:
            self._done.append(Segment(SegmentKind.INSERT, "".join(self._inserted)))
        self._deleted, self._inserted = [], []

    def segments(self) -> tuple[Segment, ...]:
        self._flush_change()
        self._flush_equal()
        return tuple(self._done)


def diff_specs(old: PromptSpec, new: PromptSpec) -> PromptDiff:
    """Compare two prompts part by part."""
    return PromptDiff(
        messages=tuple(_diff_messages(old.messages, new.messages)),
        input_schema=_diff_json(old.input_schema, new.input_schema),
        output_schema=_diff_json(old.output_schema, new.output_schema),
        tools=_diff_json(list(old.tools), list(new.tools)),
        params=_diff_json(old.params.to_dict(), new.params.to_dict()),
    )


def _diff_json(old: Any, new: Any) -> tuple[Segment, ...]:
    return diff_texts(json_lines(old), json_lines(new))


def _diff_messages(old: Sequence[Message], new: Sequence[Message]) -> list[MessageDiff]:
    """Equal messages are partners; between them, messages pair up in order."""
    result: list[MessageDiff] = []
    for _tag, old_start, old_end, new_start, new_end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        count = max(old_end - old_start, new_end - new_start)
        for step in range(count):
            old_index = old_start + step if old_start + step < old_end else None
            new_index = new_start + step if new_start + step < new_end else None
            before = None if old_index is None else old[old_index]
            after = None if new_index is None else new[new_index]
            result.append(
                MessageDiff(
                    old_index=old_index,
                    new_index=new_index,
                    old_role=before.role.value if before else None,
                    new_role=after.role.value if after else None,
                    segments=diff_texts(before.content if before else "", after.content if after else ""),
                )
            )
    return result
