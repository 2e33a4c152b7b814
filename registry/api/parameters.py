"""Query parameters that several lists understand."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

SEARCH = OpenApiParameter("search", OpenApiTypes.STR, description="Part of a name or description.")
ARCHIVED = OpenApiParameter("archived", OpenApiTypes.BOOL, description="Only what was archived.")
