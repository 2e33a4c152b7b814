from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One hit: `kind` in words, what it is called, what tells it from its neighbours, and its page (empty where there is none)."""

    kind: str
    title: str
    detail: str
    url: str
    icon: str
