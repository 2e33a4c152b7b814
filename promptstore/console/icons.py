"""Icons from the one sprite file, `static/img/icons.svg`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

SPRITE = "img/icons.svg"


class UnknownIconError(LookupError):
    """The sprite has no symbol of that name (raised in development only; elsewhere the icon is left out)."""


@cache
def icon_names() -> frozenset[str]:
    """The names of the sprite's symbols."""
    path = finders.find(SPRITE)
    if not isinstance(path, str):
        return frozenset()
    return frozenset(re.findall(r'<symbol id="([^"]+)"', Path(path).read_text(encoding="utf-8")))


def icon(name: str, label: str = "", size: int = 16) -> SafeString:
    """An icon of `size` CSS pixels; hidden from screen readers unless it has a `label` of its own."""
    if name not in icon_names():
        if settings.DEBUG:
            raise UnknownIconError(name)
        return SafeString("")
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="ps-icon" width="{}" height="{}" focusable="false" {}><use href="{}#{}"></use></svg>',
        size,
        size,
        spoken,
        static(SPRITE),
        name,
    )
