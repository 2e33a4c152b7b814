"""The management API of incidents; each view parses, makes one service call, and answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import services
from incidents.evidence import without_samples
from incidents.models import Incident
from incidents.selectors import incident_detail, incident_list, possible_actions, timeline
from incidents.serializers.incidents import (
    IncidentCommentIn,
    IncidentDetailOut,
    IncidentEntryOut,
    IncidentOut,
    IncidentReasonIn,
)
from incidents.states import IncidentState
from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from promptstore.core.permissions import allows
from promptstore.core.selectors import environment_by_slug

TAGS = ["incidents"]
STATES = ("unresolved", *(state.value for state in IncidentState))
FILTERS = [
    OpenApiParameter("state", str, enum=STATES),
    OpenApiParameter("severity", str, enum=Incident.Severity.values),
    OpenApiParameter("environment", str),
    OpenApiParameter("feature", str),
]


class IncidentsView(ProjectView):
    @extend_schema(
        operation_id="incidents_list", parameters=FILTERS, responses=page_of(IncidentOut), tags=TAGS
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's incidents, newest first."""
        asked = request.query_params
        for name, allowed in (("state", STATES), ("severity", Incident.Severity.values)):
            if asked.get(name) and asked[name] not in allowed:
                raise InvalidInput(f"Use one of {', '.join(allowed)}.", field=name)
        environment = asked.get("environment", "")
        place = environment_by_slug(project_id=self.project.pk, slug=environment) if environment else None
        rows = incident_list(
            project_id=self.project.pk,
            state=asked.get("state", ""),
            severity=asked.get("severity", ""),
            environment_id=place.pk if place else None,
            feature=asked.get("feature", ""),
        )
        return self.page(rows, IncidentOut)


class IncidentView(ProjectView):
    @extend_schema(operation_id="incidents_read", responses=IncidentDetailOut, tags=TAGS)
    def get(self, request: Request, project: str, incident_id: UUID) -> Response:  # noqa: ARG002
        """One incident with timeline and evidence."""
        return Response(_detail(self, incident_id))


class AcknowledgeView(ProjectView):
    @extend_schema(
        operation_id="incidents_acknowledge", request=IncidentReasonIn, responses=IncidentDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, incident_id: UUID) -> Response:  # noqa: ARG002
        """Say that somebody is at it."""
        body = self.read(IncidentReasonIn)
        services.acknowledge(actor=self.actor, project_id=self.project.pk, incident_id=incident_id, **body)
        return Response(_detail(self, incident_id))


class MitigateView(ProjectView):
    @extend_schema(
        operation_id="incidents_mitigate", request=IncidentReasonIn, responses=IncidentDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, incident_id: UUID) -> Response:  # noqa: ARG002
        """Say that users are safe again; withdrawn units get the stable release."""
        body = self.read(IncidentReasonIn)
        services.mitigate(actor=self.actor, project_id=self.project.pk, incident_id=incident_id, **body)
        return Response(_detail(self, incident_id))


class ResolveView(ProjectView):
    @extend_schema(
        operation_id="incidents_resolve", request=IncidentReasonIn, responses=IncidentDetailOut, tags=TAGS
    )
    def post(self, request: Request, project: str, incident_id: UUID) -> Response:  # noqa: ARG002
        """Close a mitigated incident."""
        body = self.read(IncidentReasonIn)
        services.resolve(actor=self.actor, project_id=self.project.pk, incident_id=incident_id, **body)
        return Response(_detail(self, incident_id))


class CommentsView(ProjectView):
    @extend_schema(
        operation_id="incidents_comment",
        request=IncidentCommentIn,
        responses={201: IncidentEntryOut},
        tags=TAGS,
    )
    def post(self, request: Request, project: str, incident_id: UUID) -> Response:  # noqa: ARG002
        """Add a remark to the timeline."""
        body = self.read(IncidentCommentIn)
        entry = services.comment(
            actor=self.actor, project_id=self.project.pk, incident_id=incident_id, **body
        )
        return Response(IncidentEntryOut(entry).data, status=201)


def _detail(view: ProjectView, incident_id: UUID) -> Any:
    incident = incident_detail(project_id=view.project.pk, incident_id=incident_id)
    may_see = allows(view.actor, "inference.read", project_id=view.project.pk)
    return IncidentDetailOut(
        {
            "incident": incident,
            "evidence": incident.evidence if may_see else without_samples(incident.evidence),
            "timeline": timeline(incident_id=incident.pk),
            "actions": possible_actions(incident, actor=view.actor),
        }
    ).data
