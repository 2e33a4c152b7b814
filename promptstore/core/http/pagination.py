from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Cursor pages ordered by id; ids are UUIDv7, so that is newest first and stable while rows arrive."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200
