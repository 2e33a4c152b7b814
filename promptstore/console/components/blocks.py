"""Components that wrap content. Each renders one file of `templates/components/` around what the page put inside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString


def wrap(component: str, content: str, /, **values: Any) -> SafeString:
    """Render `components/<component>.html` with `content` (already rendered, hence safe) and `values`."""
    rendered = get_template(f"components/{component}.html").render(
        {"content": SafeString(content.strip()), **values}
    )
    return SafeString(rendered.strip())


def breadcrumbs(content: str) -> SafeString:
    """The path to this object; holds `crumb`s."""
    return wrap("breadcrumbs", content)


def page_header(content: str, title: str, subtitle: str = "", icon: str = "") -> SafeString:
    """The page's `h1`; what is inside are its actions."""
    return wrap("page_header", content, title=title, subtitle=subtitle, icon=icon)


def card(
    content: str,
    title: str = "",
    subtitle: str = "",
    icon: str = "",
    href: str = "",
    level: int = 2,
    tone: str = "",
    *,
    flush: bool = False,
) -> SafeString:
    """An object or a part of the page; `flush` drops the padding around tables and lists."""
    return wrap(
        "card",
        content,
        title=title,
        subtitle=subtitle,
        icon=icon,
        href=href,
        level=level,
        tone=tone,
        flush=flush,
    )


def notice(content: str, tone: str = "neutral", title: str = "", icon: str = "") -> SafeString:
    """Something the reader must know before going on."""
    icons = {"good": "circle-check", "wait": "hourglass", "harm": "incident"}
    return wrap("notice", content, tone=tone, title=title, icon=icon or icons.get(tone, "info"))


def table(content: str, caption: str) -> SafeString:
    """A data table; `caption` names it for screen readers. Inside are `thead` and `tbody`."""
    return wrap("table", content, caption=caption)


def kv(content: str, label: str) -> SafeString:
    """One pair of a `<dl class="ps-kv">`."""
    return wrap("kv", content, label=label)


def stat(content: str, label: str, note: str = "", tone: str = "") -> SafeString:
    """One figure of a `<dl class="ps-stats">`."""
    return wrap("stat", content, label=label, note=note, tone=tone)


def event(
    content: str, at: datetime | None = None, icon: str = "circle-dot", tone: str = "neutral", actor: str = ""
) -> SafeString:
    """One entry of an `<ol class="ps-timeline">`, in a sentence."""
    return wrap("event", content, at=at, icon=icon, tone=tone, actor=actor)


def confirm(
    context: Context,
    content: str,
    label: str,
    action: str,
    title: str,
    submit: str,
    consequences: str | Iterable[str] = (),
    icon: str = "",
    tone: str = "neutral",
    name: str = "",
    key: str = "",
    *,
    reason: bool = True,
) -> SafeString:
    """An action that says what it does before it does it: opens in place and posts to `action`.

    Posts `reason` (required unless `reason` is false) and, when `name` is given, `confirm`, which the person must type. `key` is
    a single key that opens it. What is inside are further fields.
    """
    sentences = [consequences] if isinstance(consequences, str) else list(consequences)
    return wrap(
        "confirm",
        content,
        label=label,
        action=action,
        title=title,
        submit=submit,
        consequences=[sentence for sentence in sentences if sentence],
        icon=icon,
        tone=tone,
        name=name,
        key=key,
        reason=reason,
        csrf_token=context.get("csrf_token"),
    )


def live(content: str, url: str, id: str, every: int = 3, label: str = "") -> SafeString:  # noqa: A002 - HTML's word
    """A region that follows its object by polling `url` every `every` seconds (see `static/js/live.js`)."""
    return wrap("live", content, url=url, id=id, every=every, label=label)
