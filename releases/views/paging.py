"""Cursor pages for lists that are ordered newest first by their UUIDv7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from promptstore.core.errors import InvalidInput

Row = TypeVar("Row", bound=Model)
PAGE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows and the cursors of the neighbouring pages (empty where there is none)."""

    rows: list[Row]
    next: str
    previous: str


def page_of(rows: QuerySet[Row], cursor: str, *, size: int = PAGE) -> Page[Row]:
    """The page that `cursor` names: `after-<id>` towards older rows, `before-<id>` towards newer ones, empty for the newest.

    Raises `InvalidInput` for any other cursor.
    """
    direction, at = _read(cursor)
    if direction == "before":
        found = list(rows.filter(pk__gt=at).order_by("pk")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        return _page(found, has_next=True, has_previous=more)
    older = rows.filter(pk__lt=at) if at else rows
    found = list(older.order_by("-pk")[: size + 1])
    return _page(found[:size], has_next=len(found) > size, has_previous=at is not None)


def _read(cursor: str) -> tuple[str, UUID | None]:
    if not cursor:
        return "after", None
    direction, _, at = cursor.partition("-")
    try:
        if direction in {"after", "before"}:
            return direction, UUID(at)
    except ValueError:
        pass
    raise InvalidInput("This page does not exist any more. Start again from the first.", field="cursor")


def _page(rows: list[Row], *, has_next: bool, has_previous: bool) -> Page[Row]:
    return Page(
        rows=rows,
        next=f"after-{rows[-1].pk}" if rows and has_next else "",
        previous=f"before-{rows[0].pk}" if rows and has_previous else "",
    )
