"""Links to pages of apps above: by name, and only where such a page exists."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse


def page_url(name: str, *arguments: Any) -> str:
    """The path of a page, or an empty text while there is none."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
