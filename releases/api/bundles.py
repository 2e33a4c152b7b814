from __future__ import annotations

from io import BytesIO
from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from promptstore.core.http.project_views import ProjectView
from releases import services
from releases.api.releases import FEATURE
from releases.selectors.places import find_release


class BundleView(ProjectView):
    permission = "audit.read"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ARG002 - DRF's signature
        """A client that asks for the archive's own type gets it; problem documents are JSON all the same."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="releases_bundle",
        parameters=[FEATURE],
        responses={(200, "application/x-tar"): OpenApiTypes.BINARY},
        tags=["releases"],
    )
    def get(self, request: Request, project: str, reference: str) -> FileResponse:  # noqa: ARG002 - resolved in `initial`
        """A release's audit bundle as a file: one signed archive that is checked offline. That it was taken is recorded."""
        release = find_release(
            project_id=self.project.pk,
            reference=reference,
            feature=request.query_params.get("feature", ""),
        )
        bundle = services.make_bundle(actor=self.actor, project_id=self.project.pk, release_id=release.pk)
        return FileResponse(
            BytesIO(bundle.data),
            as_attachment=True,
            filename=bundle.name,
            content_type="application/x-tar",
            headers={"Cache-Control": "no-store"},
        )
