"""Text as the filter sees it: what looks the same is the same.

Each character is folded by itself, whatever stands beside it. So a text can be folded piece by piece while it arrives, in
a time that grows with its length alone, and a piece may end anywhere.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = frozenset({"Cf", "Cc", "Mn", "Me"})
# Hangul fillers count as letters in Unicode, and show nothing.
_FILLERS = frozenset("\u115f\u1160")
_RUNS = re.compile("  +")
_MAX_CACHED = 20_000


def normalise(text: str) -> str:
    """Fold what looks the same: compatibility forms, case, invisible and combining characters, runs of white
    space.

    NFKC, then case folding, then NFKD without combining marks (UAX #15), of each character; so that neither full-width
    letters nor zero-width joiners, accents or line breaks hide a phrase.
    """
    return collapse(text.translate(_FOLDED))


def fold(char: str) -> str:
    """One character, before runs of spaces are made one; empty for what does not show."""
    return _FOLDED[ord(char)]


def collapse(folded: str) -> str:
    """Runs of spaces made one."""
    return _RUNS.sub(" ", folded)


def is_word(char: str) -> bool:
    """What `\\b` in an expression takes for a part of a word."""
    return char.isalnum() or char == "_"


class _Folds(dict[int, str]):
    """Folded characters by code point, made as they come. A text of all of Unicode empties it now and then."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MAX_CACHED:
            self.clear()
        compatible = unicodedata.normalize("NFKC", chr(code)).casefold()
        folded = self[code] = "".join(map(_shown, unicodedata.normalize("NFKD", compatible)))
        return folded


def _shown(char: str) -> str:
    if char.isspace():
        return " "
    hidden = unicodedata.combining(char) or unicodedata.category(char) in _INVISIBLE or char in _FILLERS
    return "" if hidden else char


_FOLDED = _Folds()
