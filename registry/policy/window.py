"""Streaming behind a hold-back: text leaves once nothing that follows can make it the beginning of a match.

A match is at most `longest` normalised characters, so what begins further than that behind the newest character is decided.
Positions count normalised characters: padding that the filter does not see cannot push a match out of the window, it is
held with the text around it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registry.policy.errors import PolicyError
from registry.policy.expressions import reach
from registry.policy.normalising import collapse, fold, is_word

MAX_HELD_CHARS = 1_000
# Such an answer may be JSON, whose strings are checked once they are decoded (`registry.shown`): it waits for its end.
_OPENS_JSON = frozenset("{[")


@dataclass(frozen=True, slots=True)
class Entry:
    """One banned entry. `find(text, start)` is where a match ends that begins at `start` or later, or -1.

    `edges` says that the character after a match has a say in it.
    """

    name: str
    find: Callable[[str, int], int]
    longest: int
    edges: bool = False


def phrase_entry(name: str, phrase: str, where: str) -> Entry:
    """A normalised phrase. Raises `PolicyError` when it is too long to be held back."""
    _check_length(len(phrase), where)

    def find(text: str, start: int) -> int:
        at = text.find(phrase, start)
        return at if at < 0 else at + len(phrase)

    return Entry(name, find, len(phrase))


def expression_entry(name: str, expression: re.Pattern[str], where: str) -> Entry:
    """An expression. Raises `PolicyError` when what it matches is too long, nothing, or depends on the text's end."""
    known = reach(expression)
    _check_length(known.longest, where)
    if known.ends:
        raise PolicyError(
            where,
            "With the mode window an expression cannot ask for the end of the answer; drop $ or use buffer.",
        )
    if known.shortest == 0:
        raise PolicyError(where, "With the mode window an expression must match at least one character.")

    def find(text: str, start: int) -> int:
        found = expression.search(text, start)
        return found.end() if found else -1

    return Entry(name, find, known.longest, known.edges)


def _check_length(longest: int, where: str) -> None:
    if longest > MAX_HELD_CHARS:
        raise PolicyError(
            where,
            f"This can match {longest:,} characters; the mode window holds at most {MAX_HELD_CHARS:,} back."
            " Shorten it or use buffer.",
        )


class Window:
    """The hold-back of one answer: as many normalised characters as an entry can match, and up to a quarter more.

    Feed it the text as it comes; show what `feed` gives, and at the end `rest`. Once `hits` has names, nothing more may
    be shown. What was given out until then holds no match. At the end the whole answer must be checked before `rest` is
    shown: not all was looked at, and only then is it known whether it is JSON.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.hits: list[str] = []
        self._entries = entries
        self._longest = max((entry.longest for entry in entries), default=0)
        # So much is new at a look that each character is looked at five times at most, however small the pieces are.
        self._stride = max(1, -(-self._longest // 4))
        self._scanned = 0
        self._edges = any(entry.edges for entry in entries)
        self._may_be_json: bool | None = None
        # The text that was not given out, and where its characters end: in it, and in the normalised text.
        self._held = _Held()
        self._ends: deque[tuple[int, int]] = deque()
        # The end of the normalised text, and the position at which it begins.
        self._tail = ""
        self._base = 0

    def feed(self, text: str) -> str:
        """The text that may be shown now, which is none from the first hit on."""
        if self.hits:
            return ""
        self._take(text)
        end = self._base + len(self._tail)
        if end - self._scanned < self._stride:
            return ""
        self.hits = list(dict.fromkeys(entry.name for entry in self._entries if self._hit(entry)))
        self._scanned = end
        return "" if self.hits else self._released()

    @property
    def released(self) -> bool:
        """Whether any text was given out."""
        return self._held.start > 0

    def rest(self) -> str:
        """All that is still held, for an answer that ended and was found clean."""
        return self._held.take(self._held.end)

    def _take(self, text: str) -> None:
        if self._may_be_json is None and (begun := text.lstrip()):
            self._may_be_json = begun[0] in _OPENS_JSON
        position = self._held.end
        self._held.add(text)
        end = self._base + len(self._tail)
        pieces = []
        after_space = self._tail.endswith(" ")
        for char in text:
            position += 1
            folded = fold(char)
            if " " in folded:
                folded = collapse(folded)
                folded = folded.removeprefix(" ") if after_space else folded
            if folded:
                after_space = folded[-1] == " "
                end += len(folded)
                pieces.append(folded)
                self._ends.append((position, end))
        self._tail += "".join(pieces)

    def _hit(self, entry: Entry) -> bool:
        """Whether a match ends in what is new, or just before it where the next character has a say.

        One that ends with the text itself is no hit yet, if what follows can undo it.
        """
        found = entry.find(self._tail, max(0, self._scanned - entry.longest - self._base))
        return 0 <= found < len(self._tail) + (not entry.edges)

    def _released(self) -> str:
        limit = self._base + len(self._tail) - self._longest
        released = 0
        while self._ends and self._ends[0][1] <= limit:
            position, end = self._ends.popleft()
            # A word that is cut would end where none ends: with `\b` that could make a match of what is none.
            if not self._edges or not is_word(self._tail[end - self._base]):
                released = position
        # One character before what can still match: `\b` looks back at it, and `^` must not take the rest for a start.
        if (spare := limit - 1 - self._base) > 0:
            self._tail, self._base = self._tail[spare:], self._base + spare
        return self._held.take(released) if self._may_be_json is False else ""


class _Held:
    """Text by absolute positions, taken from its front. Pieces stay as they came, so that much of it costs no copying."""

    def __init__(self) -> None:
        self.end = 0
        self.start = 0
        self._pieces: deque[str] = deque()
        self._skip = 0

    def add(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self.end += len(text)

    def take(self, position: int) -> str:
        """The text up to a position; empty when it was taken before."""
        taken = []
        while self.start < position:
            piece = self._pieces[0]
            stop = min(len(piece), self._skip + position - self.start)
            taken.append(piece[self._skip : stop])
            self.start += stop - self._skip
            self._skip = stop
            if stop == len(piece):
                self._pieces.popleft()
                self._skip = 0
        return "".join(taken)
