from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe

from promptstore.console.home.changes import changes
from promptstore.console.home.health import health
from promptstore.console.home.waiting import waiting_for
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import allows


@login_required
@require_safe
def home(request: ProjectRequest) -> HttpResponse:
    """Three questions in one screen; whoever belongs to no project is told what to do."""
    if not request.project or not allows(request.actor, "project.read", project_id=request.project.pk):
        return render(request, "console/home_outside.html")
    return render(request, "console/home.html", _answers(request))


@project_page()
@require_safe
@conditional_page
def home_live(request: ProjectRequest) -> HttpResponse:
    """The same three answers as they are now."""
    return render(request, "console/_home.html", _answers(request))


def _answers(request: ProjectRequest) -> dict[str, Any]:
    project_id = request.project.pk
    return {
        "health": health(project_id),
        "waiting": waiting_for(request.actor, project_id),
        "changes": changes(request.actor, project_id),
    }
