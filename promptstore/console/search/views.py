from __future__ import annotations

import re
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from promptstore.console.search.by_digest import find_by_digest
from promptstore.console.search.by_id import find_by_id
from promptstore.console.search.by_name import find_by_name
from promptstore.console.search.results import Result
from promptstore.core.actors import Actor
from promptstore.core.errors import NotFound
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import require

MAX_QUERY = 200
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})\Z")


@login_required
@require_safe
def search(request: ProjectRequest) -> HttpResponse:
    """`?q=`: an id, a digest or its beginning, a version, or part of a name. An id that is found opens at once."""
    if not request.project:
        raise NotFound("You belong to no project yet. Ask an owner to add you.", field="project")
    require(request.actor, "project.read", project_id=request.project.pk)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:MAX_QUERY]
    results, is_exact = _find(request.actor, request.project.pk, query)
    if is_exact and len(results) == 1 and results[0].url:
        return redirect(results[0].url)
    return render(request, "console/search.html", {"query": query, "results": results})


def _find(actor: Actor, project_id: UUID, query: str) -> tuple[list[Result], bool]:
    """What was found, and whether the query can mean nothing else."""
    if not query:
        return [], False
    try:
        return find_by_id(actor, project_id, UUID(query)), True
    except ValueError:
        pass
    digest = _DIGEST.match(query.lower())
    if digest:
        found = find_by_digest(project_id, f"sha256:{digest[1]}")
        if found or query.lower().startswith("sha256:"):
            return found, len(digest[1]) == 64
    return find_by_name(project_id, query), False
