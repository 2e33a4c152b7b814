"""Which part of a title is what was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    text: str
    is_match: bool


def marked(title: str, query: str) -> list[Part]:
    """`title` in parts, case kept; joined they are `title`. Every word of `query` is marked wherever it occurs."""
    words = sorted({word for word in re.split(r"[\s@]+", query.lower()) if word}, key=len, reverse=True)
    if not words:
        return [Part(title, is_match=False)]
    pieces = re.split(f"({'|'.join(map(re.escape, words))})", title, flags=re.IGNORECASE)
    return [Part(piece, is_match=bool(index % 2)) for index, piece in enumerate(pieces) if piece]
