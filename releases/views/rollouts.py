from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import condition, require_POST, require_safe

from incidents.models import Incident
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from releases import services
from releases.forms import posted_number, posted_text
from releases.models import Rollout
from releases.models.rollouts import LIVE
from releases.selectors.places import rollout_by_id
from releases.selectors.rollouts import rollout_etag, rollout_view
from releases.views.rollout_actions import actions_for

STOP_POLLING = 286


@project_page()
@require_safe
def rollout_detail(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Where a rollout stands, what its rules say, and the four buttons."""
    rollout = _found(request, rollout_id)
    context = _picture(request, rollout) | {"actions": actions_for(request.actor, rollout)}
    return render(request, "releases/rollout_detail.html", context)


def _etag(request: ProjectRequest, rollout_id: UUID) -> str:
    return rollout_etag(_found(request, rollout_id), request.actor.id, whole=_is_whole(request))


@project_page()
@require_safe
@condition(etag_func=_etag)
def rollout_live(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """The picture that follows by itself."""
    rollout = _found(request, rollout_id)
    status = 200 if rollout.state in LIVE else STOP_POLLING
    return render(request, "releases/_rollout_live.html", _picture(request, rollout), status=status)


@project_page()
@require_safe
@condition(etag_func=_etag)
def rollout_actions(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """The buttons, a region of their own: while somebody writes a reason the picture goes on."""
    rollout = _found(request, rollout_id)
    context = {
        "rollout": rollout,
        "actions": actions_for(request.actor, rollout),
        "is_live": rollout.state in LIVE,
    }
    status = 200 if rollout.state in LIVE else STOP_POLLING
    return render(request, "releases/_rollout_actions.html", context, status=status)


@project_page()
@require_POST
def rollout_pause(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Hold the weight where it is."""
    services.pause_rollout(
        actor=request.actor,
        project_id=request.project.pk,
        rollout_id=rollout_id,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "Paused. Rules are still measured.")
    return redirect("releases:rollout_detail", rollout_id=rollout_id)


@project_page()
@require_POST
def rollout_resume(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Go on."""
    services.resume_rollout(
        actor=request.actor,
        project_id=request.project.pk,
        rollout_id=rollout_id,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "Resumed.")
    return redirect("releases:rollout_detail", rollout_id=rollout_id)


@project_page()
@require_POST
def rollout_advance(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Go to the next step now."""
    services.advance_rollout(
        actor=request.actor,
        project_id=request.project.pk,
        rollout_id=rollout_id,
        expected_step=posted_number(request, "expected_step"),
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "Promoted to the next step.")
    return redirect("releases:rollout_detail", rollout_id=rollout_id)


@project_page()
@require_POST
def rollout_roll_back(request: ProjectRequest, rollout_id: UUID) -> HttpResponse:
    """Take the candidate back."""
    at_once = request.POST.get("way") == "at_once"
    services.roll_back(
        actor=request.actor,
        project_id=request.project.pk,
        rollout_id=rollout_id,
        reason=posted_text(request, "reason"),
        at_once=at_once,
    )
    messages.success(request, "Rolled back." if at_once else "Rolling back in steps.")
    return redirect("releases:rollout_detail", rollout_id=rollout_id)


def _found(request: ProjectRequest, rollout_id: UUID) -> Rollout:
    return rollout_by_id(project_id=request.project.pk, rollout_id=rollout_id)


def _is_whole(request: ProjectRequest) -> bool:
    return request.GET.get("span") == "all"


def _picture(request: ProjectRequest, rollout: Rollout) -> dict[str, Any]:
    whole = _is_whole(request)
    query = "?span=all" if whole else ""
    incident = Incident.objects.filter(pk=rollout.incident_id).first() if rollout.incident_id else None
    return {
        "view": rollout_view(rollout, whole=whole),
        "rollout": rollout,
        "is_live": rollout.state in LIVE,
        "incident": incident,
        "incident_url": page_url("incidents:incident_detail", rollout.incident_id)
        if rollout.incident_id
        else "",
        "whole": whole,
        "live_url": reverse("releases:rollout_live", args=[rollout.pk]) + query,
        "actions_url": reverse("releases:rollout_actions", args=[rollout.pk]),
    }
