from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from promptstore.core.errors import NotFound
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from releases import services
from releases.forms import posted_text
from releases.selectors.deployments import deployment_view
from releases.selectors.places import deployment_by_id


@project_page()
@require_safe
def deployment_detail(request: ProjectRequest, deployment_id: UUID) -> HttpResponse:
    """What is stable here, what was, and the way back."""
    deployment = deployment_by_id(project_id=request.project.pk, deployment_id=deployment_id)
    view = deployment_view(deployment)
    consequences = [f"Everybody gets the chosen release of {deployment.feature.slug} within seconds."]
    if view.rollout:
        consequences.append(f"The rollout of {view.rollout.candidate} ends.")
    return render(request, "releases/deployment_detail.html", {"view": view, "consequences": consequences})


@project_page()
@require_POST
def deployment_return(request: ProjectRequest, deployment_id: UUID) -> HttpResponse:
    """Serve a release that was live here before, to everyone, at once."""
    try:
        release_id = UUID(request.POST.get("release", ""))
    except ValueError:
        raise NotFound("There is no such release in this project.", field="release") from None
    deployment = services.return_to_release(
        actor=request.actor,
        project_id=request.project.pk,
        deployment_id=deployment_id,
        release_id=release_id,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, f"{deployment.stable_release} serves everybody again.")
    return redirect("releases:deployment_detail", deployment_id=deployment_id)
