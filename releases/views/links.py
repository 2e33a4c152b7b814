"""Links into other apps' pages. An app whose pages are not installed is not linked to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse


def url_or_empty(name: str, **kwargs: Any) -> str:
    """The path of a named page, or an empty text where this instance has none."""
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return ""


def incident_url(incident_id: UUID | None) -> str:
    """An incident's page."""
    return url_or_empty("incidents:incident_detail", incident_id=incident_id) if incident_id else ""


def report_url(digest: str) -> str:
    """A gate report's page."""
    return url_or_empty("evals:report_detail", digest=digest) if digest else ""
