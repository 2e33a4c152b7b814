"""Who may open a page of the registry."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase

from promptstore.core.errors import NotFound
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import require


def project_page(view: Any) -> Any:
    """Sign in first; whoever belongs to no project gets 404, whoever may not read theirs 403."""

    @wraps(view)
    def guarded(request: ProjectRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.project:  # lazy, and falsy where there is none
            raise NotFound("You belong to no project yet. Ask an owner to add you.", field="project")
        require(request.actor, "project.read", project_id=request.project.pk)
        answer: HttpResponseBase = view(request, *args, **kwargs)
        return answer

    return login_required(guarded)
