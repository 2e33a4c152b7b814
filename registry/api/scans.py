from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from registry.scans import ReportedSite
from registry.selectors.scans import scan_by_id, scans
from registry.serializers import scans as shapes
from registry.services.scans import report_scan


class ScanList(ProjectView):
    @extend_schema(
        operation_id="scans_list",
        parameters=[OpenApiParameter("source", str, description="Scans of this source alone.")],
        responses=page_of(shapes.ScanSerializer),
        tags=["inventory"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """A project's scans of source trees, newest first, without their call sites."""
        rows = scans(project_id=self.project.id, source=request.query_params.get("source", ""))
        return self.page(rows, shapes.ScanSerializer)

    @extend_schema(
        operation_id="scans_report",
        request=shapes.ScanReportSerializer,
        responses={201: shapes.ScanDetailSerializer},
        tags=["inventory"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Keep what a scan found, as `promptctl inventory scan --upload` does."""
        given = self.read(shapes.ScanReportSerializer)
        sites = [ReportedSite(**site) for site in given.pop("sites")]
        made = report_scan(actor=self.actor, project_id=self.project.id, sites=sites, **given)
        return Response(shapes.ScanDetailSerializer(made).data, status=201)


class ScanDetail(ProjectView):
    @extend_schema(operation_id="scans_get", responses=shapes.ScanDetailSerializer, tags=["inventory"])
    def get(self, _request: Request, scan_id: UUID, **_: Any) -> Response:
        """One scan with its call sites."""
        found = scan_by_id(project_id=self.project.id, scan_id=scan_id)
        return Response(shapes.ScanDetailSerializer(found).data)
