"""Pages: the list of incidents, one incident as a report, and its actions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition, require_POST, require_safe

from incidents import services
from incidents.actions import ACTIONS
from incidents.evidence import read_evidence
from incidents.models import Incident, IncidentEntry
from incidents.selectors import incident_counts, incident_detail, incident_list, possible_actions, timeline
from incidents.states import IncidentState
from promptstore.core.errors import NotFound
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import allows

_SERVICES = {
    "acknowledge": services.acknowledge,
    "mitigate": services.mitigate,
    "resolve": services.resolve,
}
_DONE = {
    "acknowledge": "Acknowledged: it is yours now.",
    "mitigate": "Mitigated: withdrawn units get the stable release again.",
    "resolve": "Resolved.",
}
_MARKS = {
    "opened": ("incident", "harm"),
    "repeated": ("refresh", "harm"),
    "acknowledged": ("eye", "wait"),
    "mitigated": ("shield", "accent"),
    "resolved": ("circle-check", "good"),
    "commented": ("message", "neutral"),
}


@require_safe
@project_page()
def incident_list_page(request: ProjectRequest) -> HttpResponse:
    """`?state=unresolved|open|… &severity= &cursor=`; without a state, what is not resolved."""
    project_id = request.project.pk
    state = request.GET.get("state", "unresolved")
    severity = request.GET.get("severity", "")
    rows = incident_list(
        project_id=project_id,
        state=state if state in {*IncidentState, "unresolved"} else "",
        severity=severity if severity in Incident.Severity.values else "",
    )
    return render(
        request,
        "incidents/incident_list.html",
        {
            "page": keyset_page(rows, request.GET.get("cursor", "")),
            "counts": incident_counts(project_id=project_id),
            "state": state,
            "severities": Incident.Severity.values,
        },
    )


@require_safe
@project_page()
def incident_detail_page(request: ProjectRequest, incident_id: UUID) -> HttpResponse:
    """The incident as a report: what happened in order, what it rests on, what can be done."""
    incident = incident_detail(project_id=request.project.pk, incident_id=incident_id)
    actions = [
        {
            "text": ACTIONS[one.action],
            "url": reverse("incidents:incident_act", args=[incident.pk, one.action]),
        }
        for one in possible_actions(incident, actor=request.actor)
        if one.allowed
    ]
    return render(
        request,
        "incidents/incident_detail.html",
        {
            "incident": incident,
            "entries": _entries(incident),
            "evidence": read_evidence(incident.evidence),
            "actions": actions,
            "may_see_samples": allows(request.actor, "inference.read", project_id=incident.project_id),
            "rollout_url": page_url("releases:rollout_detail", incident.rollout_id)
            if incident.rollout_id
            else "",
            "release_url": page_url("releases:release_by_digest", incident.release_digest)
            if incident.release_digest
            else "",
        },
    )


def _timeline_etag(request: HttpRequest, incident_id: UUID) -> str:
    """Entries are only ever added, and every change adds one."""
    last = IncidentEntry.objects.filter(incident_id=incident_id).order_by("-id").values_list("pk", flat=True)
    return f'"{last.first()}-{request.user.pk}"'


@require_safe
@project_page()
@condition(etag_func=_timeline_etag)
def incident_live(request: ProjectRequest, incident_id: UUID) -> HttpResponse:
    """The state and timeline alone, for the page to follow; 286 once nothing more happens."""
    incident = incident_detail(project_id=request.project.pk, incident_id=incident_id)
    response = render(
        request, "incidents/_timeline.html", {"incident": incident, "entries": _entries(incident)}
    )
    response.status_code = 286 if incident.state == IncidentState.RESOLVED else 200
    patch_vary_headers(response, ["Cookie"])
    return response


@require_POST
@project_page()
def incident_act(request: ProjectRequest, incident_id: UUID, action: str) -> HttpResponse:
    """Acknowledge, mitigate or resolve; a refusal comes back as a message."""
    if action not in _SERVICES:
        raise NotFound("There is no such action.")
    _SERVICES[action](
        actor=request.actor,
        project_id=request.project.pk,
        incident_id=incident_id,
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, _DONE[action])
    return HttpResponseRedirect(reverse("incidents:incident_detail", args=[incident_id]))


@require_POST
@project_page()
def incident_comment(request: ProjectRequest, incident_id: UUID) -> HttpResponse:
    """Add the posted `text` to the timeline."""
    services.comment(
        actor=request.actor,
        project_id=request.project.pk,
        incident_id=incident_id,
        text=request.POST.get("text", ""),
    )
    return HttpResponseRedirect(reverse("incidents:incident_detail", args=[incident_id]) + "#comment")


def _entries(incident: Incident) -> list[dict[str, object]]:
    return [
        {
            "at": entry.at,
            "actor": entry.actor_name,
            "text": entry.text,
            "icon": _MARKS.get(entry.kind, ("circle-dot", "neutral"))[0],
            "tone": _MARKS.get(entry.kind, ("circle-dot", "neutral"))[1],
        }
        for entry in timeline(incident_id=incident.pk)
    ]
