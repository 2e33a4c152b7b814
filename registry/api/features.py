from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from registry.models import Feature
from registry.selectors.features import feature_by_slug, features
from registry.serializers import features as shapes
from registry.services.features import appoint_approver, create_feature, dismiss_approver, update_feature


class FeatureView(ProjectView):
    """A view below one feature."""

    def feature(self) -> Feature:
        return feature_by_slug(project_id=self.project.id, slug=self.kwargs["feature"])

    def shown(self) -> dict[str, object]:
        return shapes.FeatureSerializer(self.feature()).data


class FeatureList(ProjectView):
    @extend_schema(
        operation_id="features_list", responses=page_of(shapes.FeatureSerializer), tags=["features"]
    )
    def get(self, _request: Request, **_: Any) -> Response:
        """A project's features, newest first."""
        return self.page(features(project_id=self.project.id), shapes.FeatureSerializer)

    @extend_schema(
        operation_id="features_create",
        request=shapes.FeatureCreateSerializer,
        responses={201: shapes.FeatureSerializer},
        tags=["features"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """A new point of inference."""
        found = self.project
        made = create_feature(
            actor=self.actor, project_id=found.id, **self.read(shapes.FeatureCreateSerializer)
        )
        row = feature_by_slug(project_id=found.id, slug=made.slug)
        return Response(shapes.FeatureSerializer(row).data, status=201)


class FeatureDetail(FeatureView):
    @extend_schema(operation_id="features_get", responses=shapes.FeatureSerializer, tags=["features"])
    def get(self, _request: Request, **_: Any) -> Response:
        """One feature with its appointed approvers."""
        return Response(self.shown())

    @extend_schema(
        operation_id="features_update",
        request=shapes.FeatureUpdateSerializer,
        responses=shapes.FeatureSerializer,
        tags=["features"],
    )
    def put(self, _request: Request, **_: Any) -> Response:
        """Replace name, description, risk class and owner."""
        update_feature(
            actor=self.actor, feature_id=self.feature().id, **self.read(shapes.FeatureUpdateSerializer)
        )
        return Response(self.shown())


class ApproverList(FeatureView):
    @extend_schema(
        operation_id="features_appoint",
        request=shapes.AppointSerializer,
        responses={201: shapes.FeatureSerializer},
        tags=["features"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Appoint an approver for this feature's releases."""
        appoint_approver(
            actor=self.actor,
            feature_id=self.feature().id,
            user_id=self.read(shapes.AppointSerializer)["user"],
        )
        return Response(self.shown(), status=201)


class ApproverDetail(FeatureView):
    @extend_schema(operation_id="features_dismiss", responses={204: None}, tags=["features"])
    def delete(self, _request: Request, user: UUID, **_: Any) -> Response:
        """Take an appointment back."""
        dismiss_approver(actor=self.actor, feature_id=self.feature().id, user_id=user)
        return Response(status=204)
