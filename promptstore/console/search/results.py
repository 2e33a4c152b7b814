from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One hit: `kind` in words, what it is called, what tells it from its neighbours, and its page (empty where there is none)."""

    kind: str
    title: str
    detail: str
    url: str
    icon: str


@dataclass(frozen=True)
class Found:
    """What a query found. `is_exact`: the query can mean nothing else, so that a single hit may open at once."""

    results: tuple[Result, ...]
    is_exact: bool = False

    @property
    def jump(self) -> str:
        """The page that the query names beyond doubt, or an empty text."""
        return self.results[0].url if self.is_exact and len(self.results) == 1 else ""


def by_kind(results: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Results in groups of one kind, groups and members in the order in which they come."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(one.kind, []).append(one)
    return list(groups.items())
