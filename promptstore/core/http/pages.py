"""What every page of a project needs before it begins."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from promptstore.core.errors import NotFound
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import require

P = ParamSpec("P")
Page = Callable[Concatenate[ProjectRequest, P], HttpResponse]


def project_page(
    permission: str = "project.read",
) -> Callable[[Page[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Sign in first; whoever belongs to no project gets 404, whoever lacks `permission` in theirs 403."""

    def decorate(view: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: ProjectRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not getattr(request, "project", None):
                raise NotFound("You belong to no project yet. Ask an owner to add you.", field="project")
            require(request.actor, permission, project_id=request.project.pk)
            return view(request, *args, **kwargs)

        return login_required(guarded)  # type: ignore[return-value]  # the middleware made it a ProjectRequest

    return decorate
