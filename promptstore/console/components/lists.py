"""Components drawn from data: steps, findings, differences, charts, pages of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, QueryDict
from django.template import Context

from promptstore.console import charts, diffing
from promptstore.console.statuses import look


def read(source: Any, name: str, default: Any = None) -> Any:
    """A field of a mapping or of an object: apps pass either."""
    if isinstance(source, Mapping):
        return source.get(name, default)
    return getattr(source, name, default)


def stepper(steps: Iterable[Any], label: str = "Steps") -> dict[str, Any]:
    """A plan's steps in order; fields as documented in `docs/console-conventions.md`."""
    fields = ("time_done", "time_needed", "samples_done", "samples_needed", "note", "by", "label")
    shown: list[dict[str, Any]] = []
    for step in steps:
        state = str(read(step, "state", "next"))
        values = {name: read(step, name) for name in fields}
        shown.append({**values, "state": state, "look": look("step", state)})
    return {"steps": shown, "label": label}


def findings(items: Iterable[Any], empty: str = "Nothing to fix.") -> dict[str, Any]:
    """What a check found, worst first; `items` keep their order within a severity."""
    rank = {"error": 0, "warning": 1, "info": 2}
    fields = ("severity", "message", "line", "column", "hint", "code", "where")
    shown = [{name: read(item, name) for name in fields} for item in items]
    for item in shown:
        item["severity"] = str(item["severity"])
        item["look"] = look("finding", item["severity"])
    shown.sort(key=lambda item: rank.get(item["severity"], 3))
    return {"findings": shown, "empty": empty}


def code(
    text: str, label: str = "", language: str = "", *, numbers: bool = False, copyable: bool = True
) -> dict[str, Any]:
    """Text in a fixed-width block. Always shown as text, whatever it holds."""
    lines = str(text).split("\n") if numbers else []
    return {"text": text, "lines": lines, "label": label, "language": language, "copyable": copyable}


def diff(segments: Iterable[Any], label: str = "", view: str = "inline") -> dict[str, Any]:
    """A difference, `inline` or `split` into two columns."""
    found = diffing.as_segments(segments)
    return {
        "segments": found,
        "rows": diffing.side_by_side(found) if view == "split" else [],
        "label": label,
        "view": view,
        "changed": any(segment.op is not diffing.Op.EQUAL for segment in found),
    }


def diff_texts(before: str, after: str, label: str = "", view: str = "inline") -> dict[str, Any]:
    """The difference between two texts."""
    return diff(diffing.segments_of(before or "", after or ""), label=label, view=view)


def chart(
    data: Mapping[str, Any] | None = None,
    id: str = "chart",  # noqa: A002 - HTML's word
    title: str = "",
    src: str = "",
    every: int = 0,
    note: str = "",
) -> dict[str, Any]:
    """A line chart from `data`, or from the JSON at `src` (again every `every` seconds when that is set)."""
    known = data or {}
    limit = known.get("limit")
    return {
        "data": data,
        "id": id,
        "title": title,
        "src": src,
        "every": every,
        "note": note,
        "readings": charts.readings(known),
        "limit_text": charts.value_text(limit["value"], known.get("unit", "count")) if limit else "",
        "limit": limit,
        "window": known.get("window"),
        "table": charts.table(known),
    }


def changed_query(context: Context, **changes: Any) -> str:
    """The current query string with `changes`; `None` or an empty text removes a parameter."""
    request: HttpRequest | None = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}"


def sort_th(context: Context, label: str, field: str, *, numeric: bool = False) -> dict[str, Any]:
    """A column head that sorts: first ascending, then descending, by the `sort` parameter."""
    request: HttpRequest | None = context.get("request")
    current = request.GET.get("sort", "") if request is not None else ""
    direction = {field: "ascending", f"-{field}": "descending"}.get(current, "")
    following = f"-{field}" if direction == "ascending" else field
    return {
        "label": label,
        "href": changed_query(context, sort=following, cursor=None),
        "direction": direction,
        "icon": {"ascending": "chevron-up", "descending": "chevron-down"}.get(direction, "sort"),
        "numeric": numeric,
    }


def pagination(
    context: Context,
    next: str | None = None,  # noqa: A002 - the pages' word
    previous: str | None = None,
    shown: int | None = None,
) -> dict[str, Any]:
    """Links to the neighbouring pages of a cursor-paginated list."""
    return {
        "next_href": changed_query(context, cursor=next) if next else "",
        "previous_href": changed_query(context, cursor=previous) if previous else "",
        "shown": shown,
    }


def skeleton(lines: int = 3) -> dict[str, Sequence[int]]:
    """Grey lines in place of what is being loaded."""
    return {"lines": range(lines)}
