"""Pages of a list that is sorted in memory: by number, because any column may be what it is sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from promptstore.core.errors import InvalidInput

PAGE_SIZE = 50
Row = TypeVar("Row")


@dataclass(frozen=True)
class NumberedPage(Generic[Row]):
    """Rows and the numbers of the pages beside them, as cursors (empty where there is none); `total` counts all rows."""

    rows: Sequence[Row]
    next: str
    previous: str
    total: int


def numbered_page(rows: Sequence[Row], cursor: str, *, size: int = PAGE_SIZE) -> NumberedPage[Row]:
    """The page that `cursor` names, the first if it is empty. Raises `InvalidInput` for what is no page number."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):
        raise InvalidInput("This page does not exist. Start again from the first.", field="cursor")
    number = int(cursor or 1)
    start = max(number - 1, 0) * size
    return NumberedPage(
        rows=rows[start : start + size],
        next=str(number + 1) if start + size < len(rows) else "",
        previous=str(number - 1) if number > 1 else "",
        total=len(rows),
    )
