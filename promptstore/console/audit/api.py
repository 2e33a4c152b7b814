"""The management API of the audit log."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.console.audit.selectors import AuditFilter, audit_events
from promptstore.console.audit.serializers import AuditEventOut
from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of

FILTERS = [
    OpenApiParameter("who", str, description="Part of the actor's name."),
    OpenApiParameter("action", str, description="An action, or a kind such as `release`."),
    OpenApiParameter("what", str, description="Part of the object's name."),
    OpenApiParameter("kind", str, description="A type of object, such as `rollout`."),
    OpenApiParameter("object_id", str),
    OpenApiParameter("text", str, description="Part of the actor's name, the object's name or the reason."),
    OpenApiParameter("since", datetime, description="ISO 8601 with a time zone."),
    OpenApiParameter("until", datetime, description="ISO 8601 with a time zone."),
]


class AuditView(ProjectView):
    permission = "audit.read"

    @extend_schema(
        operation_id="audit_list", parameters=FILTERS, responses=page_of(AuditEventOut), tags=["audit"]
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's audit events, newest first."""
        asked = request.query_params
        wanted = AuditFilter(
            who=asked.get("who", ""),
            action=asked.get("action", ""),
            what=asked.get("what", ""),
            kind=asked.get("kind", ""),
            object_id=asked.get("object_id", ""),
            text=asked.get("text", ""),
            since=_moment(request, "since"),
            until=_moment(request, "until"),
        )
        return self.page(audit_events(project_id=self.project.pk, wanted=wanted), AuditEventOut)


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput("Use a time like 2026-03-02T09:00:00Z.", field=name)
    return moment
