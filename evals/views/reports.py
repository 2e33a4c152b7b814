"""Pages: one gate's report."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evals.selectors import report_by_digest, worst_first
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest


@require_safe
@project_page()
def report(request: ProjectRequest, digest: str) -> HttpResponse:
    """What a gate found, worst rows first, with the evidence one click away."""
    found = report_by_digest(project_id=request.project.pk, digest=digest)
    body = found.body
    started, finished = (datetime.fromisoformat(body[name]) for name in ("started_at", "finished_at"))
    return render(
        request,
        "evals/report.html",
        {
            "report": found,
            "body": body,
            "checks": [_with_text(row) for row in worst_first(body["checks"])],
            "cases": worst_first(body["cases"]),
            "started": started,
            "took": finished - started,
            "json_url": f"/api/v1/projects/{request.project.slug}/reports/{found.digest}/",
            "release_url": page_url("releases:release_by_digest", found.release_digest),
        },
    )


def _with_text(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its evidence as it can be read."""
    evidence = row.get("evidence")
    text = json.dumps(evidence, indent=2, ensure_ascii=False, sort_keys=True) if evidence else ""
    return {**row, "evidence_text": text}
