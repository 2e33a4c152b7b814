"""Links to pages of apps above: by name, and only where such a page exists."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse


def page_url(name: str, *arguments: Any) -> str:
    """The path of a page, or an empty text while there is none."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def whole_url(name: str, *arguments: Any) -> str:
    """The whole address of a page of the console, for messages that are read elsewhere."""
    return settings.CONSOLE_URL.rstrip("/") + page_url(name, *arguments)
