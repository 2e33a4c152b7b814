"""Components inside a line of text: badge, digest, copy button, time."""

from __future__ import annotations

from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from promptstore.console.formatting import times
from promptstore.console.formatting.digests import short_digest
from promptstore.console.formatting.numbers import DASH
from promptstore.console.icons import icon
from promptstore.console.statuses import look
from promptstore.core import clock


def status(kind: str, value: str | None, label: str = "", detail: str = "") -> SafeString:
    """A badge for `value` of `kind` (see `statuses.LOOKS`); `detail` is added in words, `label` replaces the words."""
    if not value:
        return SafeString(DASH)
    shown = look(kind, value)
    words = label or shown.label
    return format_html(
        '<span class="ps-status ps-status--{}" data-status="{}">{}<span>{}</span></span>',
        shown.tone.value,
        str(value).lower(),
        icon(shown.icon, size=14),
        f"{words} · {detail}" if detail else words,
    )


def copy(text: str, label: str = "Copy") -> SafeString:
    """A button that puts `text` on the clipboard; it is there only with JavaScript."""
    return format_html(
        '<button class="ps-copy" type="button" data-copy="{}" title="{}" aria-label="{}">{}</button>',
        text,
        label,
        label,
        icon("copy", size=14),
    )


def digest(value: str | None, length: int = 12) -> SafeString:
    """A short digest that keeps the whole one at hand."""
    if not value:
        return SafeString(DASH)
    return format_html(
        '<span class="ps-digest"><code title="{}">{}</code>{}</span>',
        value,
        short_digest(value, length),
        copy(value, label="Copy digest"),
    )


def ago(moment: datetime | None) -> SafeString:
    """A `<time>` relative to the decision clock; `static/js/time.js` keeps it fresh."""
    if moment is None:
        return SafeString(DASH)
    return format_html(
        '<time class="ps-time" datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(timespec="seconds"),
        times.exact(moment),
        times.relative(moment, now=clock.now()),
    )
