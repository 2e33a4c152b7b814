"""Where a person is: the project and environment that their pages show."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from promptstore.console.preferences import next_path
from promptstore.core.errors import NotFound
from promptstore.core.models import Environment, Project
from promptstore.core.selectors import environment_by_slug, projects_of


def environments_of(project: Project) -> list[Environment]:
    """The project's environments in the order in which a release passes them."""
    return list(Environment.objects.filter(project_id=project.pk).order_by("position"))


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Remember the posted `project` or `environment` slug in the session; unknown ones are 404 and change nothing.

    A new project starts at its home, because the page at hand belongs to the old one.
    """
    slug = request.POST.get("project", "")
    if slug:
        project = projects_of(request.user).filter(slug=slug).first()
        if project is None:
            raise NotFound(f"There is no project “{slug}”, or you are not a member of it.", field="project")
        request.session["project"] = project.slug
        request.session.pop("environment", None)
        return HttpResponseRedirect("/")
    current: Project | None = getattr(request, "project", None)
    if not current:
        raise NotFound("Choose a project first.", field="project")
    environment = environment_by_slug(project_id=current.pk, slug=request.POST.get("environment", ""))
    request.session["environment"] = environment.slug
    return HttpResponseRedirect(next_path(request))
