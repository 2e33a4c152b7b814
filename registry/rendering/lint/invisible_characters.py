"""Characters that a reviewer cannot see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.lint.texts import field_texts

ID = "invisible-character"
HINT: Final = "Delete it; retype the passage if you are not sure what it holds."

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS: Final = "\U000e0000-\U000e007f"
_SELECTORS: Final = "\U000e0100-\U000e01ef"
_ZERO_WIDTH: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
)
_JOINERS: Final = "\u200c\u200d"
_CONTROLS: Final = "\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_SUSPECT: Final = re.compile(f"[{_BIDI}{_TAGS}{_SELECTORS}{_ZERO_WIDTH}{_JOINERS}{_CONTROLS}]+")
_DECEPTIVE: Final = re.compile(f"[{_BIDI}{_TAGS}{_SELECTORS}]")


def find_invisible(text: str) -> Iterator[tuple[int, int, Severity, str]]:
    """`(start, end, severity, names)` of each run: an error if it can reorder or hide text, else a warning.

    Joiners are fine where scripts and emoji need them, between characters that are not ASCII.
    """
    if text.isascii() and not _SUSPECT.search(text):
        return
    for match in _SUSPECT.finditer(text):
        run = match[0]
        if run in {"\u200c", "\u200d"} and _between_letters(text, match.start()):
            continue
        severity = Severity.ERROR if _DECEPTIVE.search(run) else Severity.WARNING
        names = ", ".join(dict.fromkeys(_name(char) for char in run[:5]))
        yield match.start(), match.end(), severity, names


def _between_letters(text: str, index: int) -> bool:
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    return bool(before and after) and not before.isascii() and not after.isascii()


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character').lower()}"


def check(context: LintContext) -> Iterator[Finding]:
    """Messages by position, schemas and tools by field."""
    for index, source in enumerate(context.sources):
        for start, end, severity, names in find_invisible(source):
            yield context.at_span(Finding(ID, severity, _message(names), HINT), index, start, end)
    for field, text in field_texts(context.spec):
        for _start, _end, severity, names in find_invisible(text):
            shown = "".join(char for char in field if not _SUSPECT.match(char))
            yield Finding(ID, severity, _message(names), HINT, field=shown)


def _message(names: str) -> str:
    return f"There is an invisible character here: {names}."


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="Invisible or direction-changing characters",
    explanation=(
        "Characters without a shape can hide instructions from a reviewer or make text read differently from "
        "what the model gets: bidirectional controls and tag characters are errors, other invisible ones warnings."
    ),
    example="A zero-width space inside a word, or a right-to-left override",
    fix="Delete the character.",
    check=check,
)
