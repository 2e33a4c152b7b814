from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.parameters import ARCHIVED, SEARCH
from registry.selectors.models import language_models, model_by_name, model_version, model_versions
from registry.serializers.models import (
    LanguageModelSerializer,
    ModelVersionSerializer,
    ModelVersionWriteSerializer,
)
from registry.services.models import register_model_version


class ModelList(ProjectView):
    @extend_schema(
        operation_id="models_list",
        parameters=[SEARCH, ARCHIVED],
        responses=page_of(LanguageModelSerializer),
        tags=["models"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """A project's models, newest first."""
        rows = language_models(
            project_id=self.project.id,
            search=request.query_params.get("search", ""),
            archived=self.flag("archived"),
        )
        return self.page(rows, LanguageModelSerializer)


class ModelDetail(ProjectView):
    @extend_schema(operation_id="models_get", responses=LanguageModelSerializer, tags=["models"])
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """One model."""
        model = model_by_name(project_id=self.project.id, name=name)
        rows = language_models(project_id=model.project_id, archived=model.archived_at is not None)
        return Response(LanguageModelSerializer(rows.get(pk=model.pk)).data)


class ModelVersionList(ProjectView):
    @extend_schema(
        operation_id="model_versions_list", responses=page_of(ModelVersionSerializer), tags=["models"]
    )
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """A model's entries, highest version first."""
        model = model_by_name(project_id=self.project.id, name=name)
        return self.page(model_versions(model=model), ModelVersionSerializer)

    @extend_schema(
        operation_id="model_versions_register",
        request=ModelVersionWriteSerializer,
        responses={201: ModelVersionSerializer},
        tags=["models"],
    )
    def post(self, request: Request, name: str, **_: Any) -> Response:
        """Write an immutable entry down; the first one makes the model."""
        found = self.project
        reader = ModelVersionWriteSerializer(data=request.data)
        reader.is_valid(raise_exception=True)
        row = register_model_version(
            actor=self.actor,
            project_id=found.id,
            name=name,
            version=reader.validated_data["version"],
            changelog=reader.validated_data["changelog"],
            entry=reader.entry(),
        )
        return Response(ModelVersionSerializer(row).data, status=201)


class ModelVersionDetail(ProjectView):
    @extend_schema(operation_id="model_versions_get", responses=ModelVersionSerializer, tags=["models"])
    def get(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """One entry."""
        model = model_by_name(project_id=self.project.id, name=name)
        return Response(ModelVersionSerializer(model_version(model=model, version=version)).data)
