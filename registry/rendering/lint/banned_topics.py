"""The prompt mentions what the project bans."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.lint.texts import field_texts

ID = "banned-topic"

# Scripts written without spaces between words: there a word boundary means nothing.
_UNSPACED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


def fold(text: str) -> tuple[str, list[int] | None]:
    """Text for comparing, and for each of its characters the index of the original one (None: the same
    index).

    Case and width disappear (NFKC and case folding), and so do invisible format characters, which would
    otherwise hide a word from the search.
    """
    if text.isascii():
        return text.lower(), None
    parts: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        folded = char.lower() if char.isascii() else _fold_char(char)
        parts.append(folded)
        origin.extend([index] * len(folded))
    return "".join(parts), origin


@lru_cache(maxsize=4_096)
def _fold_char(char: str) -> str:
    if unicodedata.category(char) == "Cf":
        return ""
    return unicodedata.normalize("NFKC", char).casefold()


@lru_cache(maxsize=64)
def _pattern(topics: tuple[str, ...]) -> re.Pattern[str] | None:
    alternatives = []
    # Longer topics first, so that the most specific one is named.
    for topic in sorted(topics, key=len, reverse=True):
        words = fold(topic)[0].split()
        if words:
            body = r"\s+".join(re.escape(word) for word in words)
            before = "" if _UNSPACED.match(words[0][0]) else r"(?<!\w)"
            after = "" if _UNSPACED.match(words[-1][-1]) else r"(?!\w)"
            alternatives.append(f"{before}{body}{after}")
    return re.compile("|".join(alternatives)) if alternatives else None


def find_topics(text: str, topics: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Spans of `text` that are a topic, as whole words."""
    pattern = _pattern(tuple(topics))
    if pattern is None:
        return
    folded, origin = fold(text)
    for match in pattern.finditer(folded):
        if origin is None:
            yield match.start(), match.end()
        else:
            yield origin[match.start()], origin[match.end() - 1] + 1


def check(context: LintContext) -> Iterator[Finding]:
    """Messages by position; texts of schemas and tools, which the model reads too, by field."""
    topics = context.config.banned_topics
    for index, source in enumerate(context.sources):
        for start, end in find_topics(source, topics):
            yield context.at_span(_finding(source[start:end]), index, start, end)
    for field, text in field_texts(context.spec):
        for start, end in find_topics(text, topics):
            found = _finding(text[start:end])
            yield Finding(ID, found.severity, found.message, found.hint, field=field)


def _finding(words: str) -> Finding:
    shown = " ".join(words.split())[:80]
    return Finding(
        ID,
        Severity.ERROR,
        f"“{shown}” is a topic this project bans from prompts.",
        "Rephrase the passage, or ask an owner to change the list.",
    )


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="A banned topic is mentioned",
    explanation="The project keeps a list of words and phrases that must not reach a model in a prompt.",
    example="Recommend a competitor, with “competitor” on the list",
    fix="Rephrase the passage.",
    check=check,
)
