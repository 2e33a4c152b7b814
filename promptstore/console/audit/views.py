"""The audit page: who did what, and whether the log is whole."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import condition, require_GET, require_POST, require_safe

from promptstore.console.audit.differences import difference
from promptstore.console.audit.exports import FORMATS
from promptstore.console.audit.query import AuditQuery, read_query
from promptstore.console.audit.selectors import RANGES, audit_events
from promptstore.console.audit.sentences import KINDS, SENTENCES, all_of, sentence, title
from promptstore.console.audit.serializers import AuditEventOut
from promptstore.console.audit.services import export_events
from promptstore.core import clock
from promptstore.core.audit.verifications import latest_verification, start_verification
from promptstore.core.audit.verifying import Verification
from promptstore.core.errors import NotFound
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import AuditEvent

STOP_POLLING = 286
_RANGE_NAMES = {"hour": "Last hour", "day": "Last day", "week": "Last 7 days", "month": "Last 30 days"}
assert _RANGE_NAMES.keys() == RANGES.keys()


@require_safe
@project_page("audit.read")
def audit_list(request: ProjectRequest) -> HttpResponse:
    """The newest events that fit the filters of `read_query`; `?cursor=` pages through them."""
    query = read_query(request.GET)
    page = keyset_page(
        audit_events(project_id=request.project.pk, wanted=query.wanted), request.GET.get("cursor", "")
    )
    return render(
        request,
        "console/audit_list.html",
        {
            "events": [_row(event) for event in page.rows],
            "page": page,
            "query": query,
            "asked": query.asked,
            "actions": _actions(query),
            "kinds": _kinds(query),
            "ranges": _RANGE_NAMES.items(),
            "exports": [(ending, _export_url(request, ending)) for ending in FORMATS],
            **_verification(request),
        },
    )


@require_GET
@project_page("audit.read")
def audit_export(request: ProjectRequest, ending: str) -> HttpResponse:
    """The events that fit the page's filters as a download, made while it is sent. That it was asked for is recorded."""
    if ending not in FORMATS:
        raise NotFound("The log is exported as csv or jsonl.")
    content_type, lines = FORMATS[ending]
    events = export_events(
        actor=request.actor,
        project_id=request.project.pk,
        wanted=read_query(request.GET).wanted,
        ending=ending,
    )
    name = f"{request.project.slug}-audit-{clock.now():%Y-%m-%d}.{ending}"
    return StreamingHttpResponse(  # type: ignore[return-value]  # a page like any other to its decorators
        lines(events),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@require_POST
@project_page("audit.read")
def audit_verify(request: ProjectRequest) -> HttpResponse:
    """Begin to check the log, or find the check under way, and go back to where the person was."""
    start_verification(actor=request.actor, project_id=request.project.pk)
    filters = request.GET.urlencode()
    return redirect(reverse("console:audit") + (f"?{filters}" if filters else ""))


def _verification_etag(request: ProjectRequest) -> str | None:
    latest = latest_verification(project_id=request.project.pk)
    return f'"{latest.pk}-{latest.sequence}-{latest.finished_at}"' if latest else None


@require_safe
@project_page("audit.read")
@condition(etag_func=_verification_etag)
def audit_verification(request: ProjectRequest) -> HttpResponse:
    """How far the newest check is, for the page to follow; 286 once it is finished."""
    shown = _verification(request)
    status = 200 if shown["verifying"] else STOP_POLLING
    return render(request, "console/audit_verification.html", shown, status=status)


def _verification(request: ProjectRequest) -> dict[str, Any]:
    latest = latest_verification(project_id=request.project.pk)
    if latest is None:
        return {"verification": None, "verifying": False}
    return {
        "verification": latest,
        "verifying": latest.finished_at is None,
        "found": Verification.from_dict(latest.found),
    }


def _actions(query: AuditQuery) -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of the filter in groups; what the address asks for is among them, known or not."""
    asked = query.asked["action"]
    known = sorted({*SENTENCES, *([asked] if "." in asked else [])})
    return [
        (all_of(kind), [(kind, f"{all_of(kind)}: all"), *((action, title(action)) for action in actions)])
        for kind, actions in groupby(known, key=lambda action: action.partition(".")[0])
    ]


def _kinds(query: AuditQuery) -> list[tuple[str, str]]:
    asked = query.asked["kind"]
    return [*KINDS.items(), *([(asked, asked)] if asked and asked not in KINDS else [])]


def _export_url(request: ProjectRequest, ending: str) -> str:
    filters = request.GET.copy()
    filters.pop("cursor", None)
    return reverse("console:audit_export", args=[ending]) + (f"?{filters.urlencode()}" if filters else "")


def _row(event: AuditEvent) -> dict[str, Any]:
    shown = dict(AuditEventOut(event).data)
    return {
        "event": event,
        "said": sentence(event.action, event.object_label, event.after),
        "kind": KINDS.get(event.object_type, event.object_type).lower(),
        "difference": difference(event.before, event.after),
        "json": json.dumps(shown, indent=2, ensure_ascii=False, default=str),
        "seal": getattr(event, "seal", None),
    }
