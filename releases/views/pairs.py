from __future__ import annotations

import json
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from releases.selectors.pairs import pair_rows, pairs_of
from releases.selectors.places import rollout_by_id

PAGE_SIZE = 20


@project_page("inference.read")
@require_safe
def rollout_pairs(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Old and new answers to the same calls; `?show=all` shows also those that say the same. `?cursor=`."""
    rollout = rollout_by_id(project_id=request.project.pk, rollout_id=rollout_id)
    shows_all = request.GET.get("show") == "all"
    rows = pair_rows(rollout, differing=not shows_all)
    page = keyset_page(rows, request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "rollout": rollout,
        "page": page,
        "pairs": [
            (pair, json.dumps(pair.variables, indent=2, ensure_ascii=False, sort_keys=True))
            for pair in pairs_of(page.rows)
        ],
        "shows_all": shows_all,
        "has_any": bool(page.rows) or pair_rows(rollout).exists(),
    }
    return render(request, "releases/rollout_pairs.html", context)
