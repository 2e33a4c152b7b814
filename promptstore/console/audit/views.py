"""The audit page: who did what, and whether the log is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from promptstore.console.audit.selectors import RANGES, AuditFilter, audit_events, since_of
from promptstore.console.audit.sentences import SENTENCES, sentence, title
from promptstore.core import audit
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import AuditEvent

_RANGE_NAMES = {"hour": "Last hour", "day": "Last day", "week": "Last 7 days", "month": "Last 30 days"}
assert _RANGE_NAMES.keys() == RANGES.keys()


@require_safe
@project_page("audit.read")
def audit_list(request: ProjectRequest) -> HttpResponse:
    """`?who= &action= &what= &object= &range=hour|day|week|month &cursor=`."""
    return _page(request)


@require_POST
@project_page("audit.read")
def audit_verify(request: ProjectRequest) -> HttpResponse:
    """Recompute the whole chain and show the page with what was found. Changes nothing."""
    return _page(request, verification=audit.verify())


def _page(request: ProjectRequest, *, verification: audit.Verification | None = None) -> HttpResponse:
    asked = {name: request.GET.get(name, "").strip() for name in ("who", "action", "what", "object", "range")}
    wanted = AuditFilter(
        who=asked["who"],
        action=asked["action"],
        what=asked["what"],
        object_id=asked["object"],
        since=since_of(asked["range"]),
    )
    page = keyset_page(
        audit_events(project_id=request.project.pk, wanted=wanted), request.GET.get("cursor", "")
    )
    return render(
        request,
        "console/audit_list.html",
        {
            "events": [_row(event) for event in page.rows],
            "page": page,
            "asked": asked,
            "filtered": any(asked.values()),
            "actions": [
                (action, title(action)) for action in sorted({*SENTENCES, *filter(None, [asked["action"]])})
            ],
            "ranges": _RANGE_NAMES.items(),
            "verification": verification,
        },
    )


def _row(event: AuditEvent) -> dict[str, Any]:
    seal = getattr(event, "seal", None)
    return {
        "event": event,
        "said": sentence(event.action, event.object_label),
        "before": _json(event.before),
        "after": _json(event.after),
        "sequence": seal.sequence if seal else None,
        "chain_digest": seal.chain_digest if seal else "",
    }


def _json(value: Mapping[str, Any] | None) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
