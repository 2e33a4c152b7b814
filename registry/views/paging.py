"""Cursor pages of lists that are ordered newest first by their UUIDv7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from promptstore.core.errors import InvalidInput

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, and the cursors of the neighbouring pages; empty where there is none."""

    rows: list[Row]
    next: str
    previous: str


def page_of(rows: QuerySet[Row], cursor: str, *, size: int = PAGE_SIZE) -> Page[Row]:
    """The page at `cursor`: `older-<id>` or `newer-<id>`; empty for the newest. Raises `InvalidInput` for any other cursor."""
    towards, _, text = cursor.partition("-")
    try:
        at = UUID(text) if cursor else None
    except ValueError:
        at, towards = None, "?"
    if cursor and towards not in {"older", "newer"}:
        raise InvalidInput("This page does not exist any more. Start again from the first.", field="cursor")
    if towards == "newer":
        found = list(rows.filter(pk__gt=at).order_by("pk")[: size + 1])
        shown, has_previous, has_next = found[:size][::-1], len(found) > size, True
    else:
        found = list((rows.filter(pk__lt=at) if at else rows).order_by("-pk")[: size + 1])
        shown, has_previous, has_next = found[:size], at is not None, len(found) > size
    return Page(
        rows=shown,
        next=f"older-{shown[-1].pk}" if shown and has_next else "",
        previous=f"newer-{shown[0].pk}" if shown and has_previous else "",
    )
