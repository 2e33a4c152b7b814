"""Comparing two sequences in n log n, by anchors.

An anchor is an item that occurs exactly once on each side. The longest series of anchors that keeps its
order on both sides (patience sorting: Aldous and Diaconis 1999; as a diff: Bram Cohen) splits the problem;
the pieces are split again. A piece without anchors is compared exhaustively if small, and counts as
replaced if not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MAX_EXHAUSTIVE_PAIRS: Final = 20_000
MAX_SPLITS: Final = 8


@dataclass(frozen=True, slots=True)
class Operation:
    """`old[old_start:old_end]` equals, or is replaced by, `new[new_start:new_end]`."""

    equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def compare(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[Operation]:
    """Operations in order that cover both sequences completely."""
    # Pieces still to do, the next one last; the number says how often a piece was split out of another.
    pieces = [(0, len(old), 0, len(new), 0)]
    while pieces:
        a, b, c, d, depth = pieces.pop()
        head = 0
        while a + head < b and c + head < d and old[a + head] == new[c + head]:
            head += 1
        if head:
            yield Operation(True, a, a + head, c, c + head)
            a, c = a + head, c + head
        tail = 0
        while b - tail > a and d - tail > c and old[b - tail - 1] == new[d - tail - 1]:
            tail += 1
        if tail:
            pieces.append((b - tail, b, d - tail, d, depth))
            b, d = b - tail, d - tail
        if a == b or c == d:
            if a < b or c < d:
                yield Operation(False, a, b, c, d)
            continue
        anchors = _anchors(old, new, a, b, c, d) if depth < MAX_SPLITS else []
        if anchors:
            starts = [*anchors, (b, d)]
            parts = [(a, starts[0][0], c, starts[0][1], depth + 1)]
            parts.extend(
                (x, starts[i + 1][0], y, starts[i + 1][1], depth + 1) for i, (x, y) in enumerate(anchors)
            )
            pieces.extend(reversed(parts))
        elif (b - a) * (d - c) <= MAX_EXHAUSTIVE_PAIRS:
            yield from _exhaustive(old, new, a, b, c, d)
        else:
            yield Operation(False, a, b, c, d)


def _anchors(
    old: Sequence[Hashable], new: Sequence[Hashable], a: int, b: int, c: int, d: int
) -> list[tuple[int, int]]:
    """The longest increasing series of pairs `(index in old, index in new)` of items unique on both sides."""
    old_counts, new_counts = Counter(old[a:b]), Counter(new[c:d])
    places = {new[i]: i for i in range(c, d) if new_counts[new[i]] == 1}
    pairs = [(i, places[old[i]]) for i in range(a, b) if old_counts[old[i]] == 1 and old[i] in places]
    ends: list[int] = []  # the smallest last position in `new` of a series of each length
    last: list[int] = []  # which pair that is
    previous: list[int] = []
    for number, (_i, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        previous.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(j)
            last.append(number)
        else:
            ends[length] = j
            last[length] = number
    series: list[tuple[int, int]] = []
    current = last[-1] if last else -1
    while current >= 0:
        series.append(pairs[current])
        current = previous[current]
    return series[::-1]


def _exhaustive(
    old: Sequence[Hashable], new: Sequence[Hashable], a: int, b: int, c: int, d: int
) -> Iterator[Operation]:
    matcher = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        yield Operation(tag == "equal", a + i, a + j, c + k, c + m)
