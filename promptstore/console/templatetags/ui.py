"""`{% load ui %}`: every tag and filter of the console. `docs/console-conventions.md` shows each in use."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.template.loader import get_template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from promptstore.console.components import blocks, forms, inline, lists
from promptstore.console.formatting import durations, money, numbers
from promptstore.console.icons import icon
from promptstore.core.permissions import TABLE

register = template.Library()

# Values
register.filter("count", numbers.count)
register.filter("units", numbers.units)
register.filter("percent", numbers.percent)
register.filter("bp", numbers.basis_points)
register.filter("signed", numbers.signed)
register.filter("money", money.money)
register.filter("duration", durations.duration)
register.filter("duration_ms", durations.duration_ms)
register.filter("filesize", numbers.file_size)
register.simple_tag(numbers.rate, name="rate")

# Inside a line
register.simple_tag(icon, name="icon")
register.simple_tag(inline.status, name="status")
register.simple_tag(inline.digest, name="digest")
register.simple_tag(inline.copy, name="copy")
register.simple_tag(inline.ago, name="ago")

# Around content
for _block in (
    blocks.breadcrumbs,
    blocks.page_header,
    blocks.card,
    blocks.notice,
    blocks.table,
    blocks.kv,
    blocks.stat,
    blocks.event,
    blocks.live,
):
    register.simple_block_tag(_block)
register.simple_block_tag(blocks.confirm, takes_context=True)

# From data
register.inclusion_tag("components/stepper.html")(lists.stepper)
register.inclusion_tag("components/findings.html")(lists.findings)
register.inclusion_tag("components/code.html")(lists.code)
register.inclusion_tag("components/diff.html")(lists.diff)
register.inclusion_tag("components/diff.html")(lists.diff_texts)
register.inclusion_tag("components/chart.html")(lists.chart)
register.inclusion_tag("components/skeleton.html")(lists.skeleton)
register.inclusion_tag("components/sort_th.html", takes_context=True)(lists.sort_th)
register.inclusion_tag("components/pagination.html", takes_context=True)(lists.pagination)
register.inclusion_tag("components/field.html")(forms.field)
register.inclusion_tag("components/error_summary.html")(forms.error_summary)
register.simple_tag(lists.changed_query, takes_context=True, name="query")


@register.simple_tag
def crumb(label: str, href: str = "") -> SafeString:
    """One step of `breadcrumbs`; without `href` it is where we are."""
    if href:
        return format_html('<li><a href="{}">{}</a></li>', href, label)
    return format_html('<li aria-current="page">{}</li>', label)


@register.inclusion_tag("components/empty.html")
def empty_state(
    title: str, text: str = "", icon: str = "inbox", href: str = "", action: str = ""
) -> dict[str, Any]:
    """Nothing here yet: what this place is for and the next step."""
    return {"title": title, "text": text, "icon": icon, "href": href, "action": action}


@register.simple_tag(takes_context=True)
def may(context: Context, permission: str) -> bool:
    """Whether the person's roles hold `permission`: decides what is shown, never what is allowed."""
    return bool(TABLE[permission] & frozenset(context.get("roles") or ()))


@register.simple_tag
def chart_scripts() -> SafeString:
    """What a page with charts loads; goes into the block `scripts`."""
    return SafeString(get_template("components/chart_scripts.html").render())
