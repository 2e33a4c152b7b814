"""The management API of gate reports."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from evals.models import GateReport
from evals.selectors import report_by_digest, reports_of_release
from evals.serializers.reports import GateReportOut
from promptstore.core.http.project_views import ProjectView, page_of

TAGS = ["reports"]


class ReportsView(ProjectView):
    @extend_schema(
        operation_id="reports_list",
        parameters=[OpenApiParameter("release", str, description="Only those on this release digest.")],
        responses=page_of(GateReportOut),
        tags=TAGS,
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's gate reports, newest first."""
        release = request.query_params.get("release", "")
        rows = (
            reports_of_release(project_id=self.project.pk, release_digest=release)
            if release
            else GateReport.objects.filter(project_id=self.project.pk)
        )
        return self.page(rows, GateReportOut)


class ReportView(ProjectView):
    @extend_schema(operation_id="reports_read", responses=OpenApiTypes.OBJECT, tags=TAGS)
    def get(self, request: Request, project: str, digest: str) -> Response:  # noqa: ARG002
        """The report itself: the JSON document whose canonical form has this digest."""
        report = report_by_digest(project_id=self.project.pk, digest=digest)
        # A digest names one content for ever, so a client may keep it.
        return Response(
            report.body, headers={"ETag": f'"{report.digest}"', "Cache-Control": "private, immutable"}
        )
