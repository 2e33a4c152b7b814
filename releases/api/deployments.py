from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from releases import services
from releases.selectors.active import active
from releases.selectors.deployments import deployment_list
from releases.selectors.places import deployment_by_id, find_release
from releases.serializers.deployments import ActiveOut, DeploymentOut, ReturnIn

TAGS = ["deployments"]
FILTERS = [OpenApiParameter("environment", str), OpenApiParameter("feature", str)]


class DeploymentsView(ProjectView):
    @extend_schema(
        operation_id="deployments_list", parameters=FILTERS, responses=page_of(DeploymentOut), tags=TAGS
    )
    def get(self, request: Request, project: str) -> Response:  # noqa: ARG002 - resolved in `initial`
        """Features in environments and what is stable there."""
        wanted = {name: request.query_params.get(name, "") for name in ("environment", "feature")}
        return self.page(deployment_list(project_id=self.project.pk, **wanted), DeploymentOut)


class ReturnView(ProjectView):
    @extend_schema(operation_id="deployments_return", request=ReturnIn, responses=DeploymentOut, tags=TAGS)
    def post(self, request: Request, project: str, deployment_id: UUID) -> Response:  # noqa: ARG002
        """Serve a release that was live here before, to everyone, at once."""
        body = self.read(ReturnIn)
        deployment = deployment_by_id(project_id=self.project.pk, deployment_id=deployment_id)
        release = find_release(
            project_id=self.project.pk, reference=body["release"], feature=deployment.feature.slug
        )
        returned = services.return_to_release(
            actor=self.actor,
            project_id=self.project.pk,
            deployment_id=deployment_id,
            release_id=release.pk,
            reason=body["reason"],
        )
        return Response(DeploymentOut(returned).data)


class ActiveView(ProjectView):
    @extend_schema(
        operation_id="features_active",
        parameters=[OpenApiParameter("environment", str, description="`production` unless named.")],
        responses=ActiveOut,
        tags=TAGS,
    )
    def get(self, request: Request, project: str, feature: str) -> Response:  # noqa: ARG002
        """What is live, with content, for tools that need no speed; services ask the serving API."""
        environment = request.query_params.get("environment", "production")
        return Response(
            ActiveOut(active(project_id=self.project.pk, feature=feature, environment=environment)).data
        )
