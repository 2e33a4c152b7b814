from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView, page_of
from registry.models import Endpoint
from registry.selectors.endpoints import endpoint_by_name, endpoints
from registry.serializers import endpoints as shapes
from registry.services.endpoints import check_endpoint, create_endpoint, update_endpoint


class EndpointList(ProjectView):
    @extend_schema(
        operation_id="endpoints_list", responses=page_of(shapes.EndpointSerializer), tags=["endpoints"]
    )
    def get(self, _request: Request, **_: Any) -> Response:
        """A project's endpoints, newest first."""
        return self.page(endpoints(project_id=self.project.id), shapes.EndpointSerializer)

    @extend_schema(
        operation_id="endpoints_create",
        request=shapes.EndpointCreateSerializer,
        responses={201: shapes.EndpointSerializer},
        tags=["endpoints"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """A new endpoint, if it answers. 422 `endpoint_unreachable` otherwise."""
        found = self.project
        made = create_endpoint(
            actor=self.actor, project_id=found.id, **self.read(shapes.EndpointCreateSerializer)
        )
        return with_etag(shapes.EndpointSerializer(made).data, made.revision, status_code=201)


class EndpointDetail(ProjectView):
    def endpoint(self) -> Endpoint:
        return endpoint_by_name(project_id=self.project.id, name=self.kwargs["name"])

    @extend_schema(operation_id="endpoints_get", responses=shapes.EndpointSerializer, tags=["endpoints"])
    def get(self, _request: Request, **_: Any) -> Response:
        """One endpoint; its revision is also the `ETag`."""
        found = self.endpoint()
        return with_etag(shapes.EndpointSerializer(found).data, found.revision)

    @extend_schema(
        operation_id="endpoints_update",
        parameters=[IF_MATCH],
        request=shapes.EndpointUpdateSerializer,
        responses=shapes.EndpointSerializer,
        tags=["endpoints"],
    )
    def patch(self, _request: Request, **_: Any) -> Response:
        """Change how a model is reached, if the endpoint answers."""
        saved = update_endpoint(
            actor=self.actor,
            endpoint_id=self.endpoint().id,
            revision=revision_of(self.request),
            **self.read(shapes.EndpointUpdateSerializer),
        )
        return with_etag(shapes.EndpointSerializer(saved).data, saved.revision)


class EndpointCheck(EndpointDetail):
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="endpoints_check",
        request=None,
        responses=shapes.ProbeResultSerializer,
        tags=["endpoints"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Probe the endpoint now."""
        result = check_endpoint(actor=self.actor, endpoint_id=self.endpoint().id)
        return Response(shapes.ProbeResultSerializer(result).data)
