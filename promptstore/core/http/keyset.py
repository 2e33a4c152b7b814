"""Pages of a list by id: UUIDv7 sorts by creation, so a page is a range and stays put while rows arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from promptstore.core.errors import InvalidInput

PAGE_SIZE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    """Rows, newest first, and the cursors of the pages beside them (empty where there is none)."""

    rows: Sequence[Row]
    next: str
    previous: str


def keyset_page(rows: QuerySet[Row], cursor: str, *, size: int = PAGE_SIZE) -> KeysetPage[Row]:
    """The page that `cursor` names: `older-<id>`, `newer-<id>`, or the newest one if it is empty.

    Raises `InvalidInput` for any other cursor.
    """
    direction, anchor = _parsed(cursor)
    backwards = direction == "newer"
    if anchor is not None:
        rows = rows.filter(pk__gt=anchor) if backwards else rows.filter(pk__lt=anchor)
    found = list(rows.order_by("pk" if backwards else "-pk")[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_newer = more if backwards else anchor is not None
    has_older = backwards or more
    return KeysetPage(
        rows=found,
        next=f"older-{found[-1].pk}" if found and has_older else "",
        previous=f"newer-{found[0].pk}" if found and has_newer else "",
    )


def _parsed(cursor: str) -> tuple[str, UUID | None]:
    if not cursor:
        return "", None
    direction, _, text = cursor.partition("-")
    try:
        anchor = UUID(text)
    except ValueError:
        direction = "?"
    if direction not in {"older", "newer"}:
        raise InvalidInput("This page does not exist any more. Start again from the first.", field="cursor")
    return direction, anchor
