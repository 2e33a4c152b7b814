"""Pages: which call sites of scanned sources go through a gateway, and each of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.selectors.scans import (
    STALE_AFTER,
    Moment,
    counts_of,
    coverage,
    history,
    is_stale,
    scan_by_id,
    scans,
    sites_of,
)

STATES = {"ungoverned": "Not governed", "governed": "Governed", "ignored": "Ignored with a reason"}
_EARLIER_SHOWN = 20


@require_safe
@project_page()
def coverage_page(request: ProjectRequest) -> HttpResponse:
    """The latest scan of each source, the share that is governed, and how it moved."""
    found = coverage(project_id=request.project.pk)
    moments = history(project_id=request.project.pk)
    return render(
        request,
        "registry/inventory_coverage.html",
        {
            "coverage": found,
            "sources": [(scan, counts_of(scan), is_stale(scan)) for scan in found.latest],
            "chart": _chart(moments) if len(moments) > 1 else None,
            "stale_days": STALE_AFTER.days,
        },
    )


@require_safe
@project_page()
def scan_page(request: ProjectRequest, scan_id: UUID) -> HttpResponse:
    """One scan's call sites; `?state=` chooses. Unknown states filter nothing."""
    scan = scan_by_id(project_id=request.project.pk, scan_id=scan_id)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    moments = history(project_id=request.project.pk, source=scan.source)
    return render(
        request,
        "registry/inventory_scan.html",
        {
            "scan": scan,
            "counts": counts_of(scan),
            "is_stale": is_stale(scan),
            "sites": sites_of(scan, state=state),
            "state": state,
            "states": STATES.items(),
            "chart": _chart(moments) if len(moments) > 1 else None,
            "earlier": scans(project_id=request.project.pk, source=scan.source).order_by(
                "-scanned_at", "-id"
            )[:_EARLIER_SHOWN],
        },
    )


def _chart(moments: list[Moment]) -> dict[str, Any]:
    """The counts over time, as the chart component takes them; its keys choose the colours."""
    return {
        "unit": "count",
        "x": [int(moment.at.timestamp()) for moment in moments],
        "series": [
            {"key": "candidate", "label": "Governed", "values": [m.counts.governed for m in moments]},
            {"key": "stable", "label": "Not governed", "values": [m.counts.ungoverned for m in moments]},
        ],
    }
