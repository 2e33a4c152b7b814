from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

from promptstore.core.actors import Actor
from promptstore.core.errors import NotFound
from promptstore.core.models import Project
from promptstore.core.permissions import require


class PageRequest(HttpRequest):
    """What `promptstore.core.http.middleware.ProjectMiddleware` makes of a request."""

    actor: Actor
    project: Project


def project_page(view: Any) -> Any:
    """Sign in first; whoever belongs to no project gets 404, whoever may not read theirs 403."""

    @wraps(view)
    def guarded(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.project:
            raise NotFound("You belong to no project yet. Ask an owner to add you.", field="project")
        require(request.actor, "project.read", project_id=request.project.pk)
        answer: HttpResponseBase = view(request, *args, **kwargs)
        return answer

    return login_required(guarded)
