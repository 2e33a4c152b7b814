from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from releases import services
from releases.models import Release
from releases.selectors.places import find_release
from releases.serializers.releases import ComposeIn, ReleaseOut

FEATURE = OpenApiParameter(
    "feature", str, description="Only this feature's; needed to name a release by version."
)


class ReleasesView(ProjectView):
    @extend_schema(
        operation_id="releases_list", parameters=[FEATURE], responses=page_of(ReleaseOut), tags=["releases"]
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """The project's releases, newest first."""
        rows = Release.objects.select_related("feature", "composed_by").filter(project_id=self.project.pk)
        feature = request.query_params.get("feature")
        return self.page(rows.filter(feature__slug=feature) if feature else rows, ReleaseOut)

    @extend_schema(
        operation_id="releases_compose", request=ComposeIn, responses={201: ReleaseOut}, tags=["releases"]
    )
    def post(self, request: Request, project: str) -> Response:  # noqa: ARG002
        """Pin exact versions into one immutable release."""
        body = self.read(ComposeIn)
        release = services.compose_release(actor=self.actor, project_id=self.project.pk, **body)
        return Response(ReleaseOut(release).data, status=201)


class ReleaseView(ProjectView):
    @extend_schema(
        operation_id="releases_read", parameters=[FEATURE], responses=ReleaseOut, tags=["releases"]
    )
    def get(self, request: Request, project: str, reference: str) -> Response:  # noqa: ARG002
        """One release, by digest, or by version and feature."""
        release = find_release(
            project_id=self.project.pk,
            reference=reference,
            feature=request.query_params.get("feature", ""),
        )
        return Response(ReleaseOut(release).data)
