from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.parameters import ARCHIVED
from registry.selectors.configs import config_by_name, config_version, config_versions, configs
from registry.serializers import configs as shapes
from registry.services.configs import publish_config_version, try_config


class ConfigList(ProjectView):
    @extend_schema(
        operation_id="configs_list",
        parameters=[ARCHIVED],
        responses=page_of(shapes.ServingConfigSerializer),
        tags=["configs"],
    )
    def get(self, _request: Request, **_: Any) -> Response:
        """A project's serving configs, newest first."""
        return self.page(
            configs(project_id=self.project.id, archived=self.flag("archived")),
            shapes.ServingConfigSerializer,
        )


class ConfigDetail(ProjectView):
    @extend_schema(operation_id="configs_get", responses=shapes.ServingConfigSerializer, tags=["configs"])
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """One serving config."""
        config = config_by_name(project_id=self.project.id, name=name)
        rows = configs(project_id=config.project_id, archived=config.archived_at is not None)
        return Response(shapes.ServingConfigSerializer(rows.get(pk=config.pk)).data)


class ConfigVersionList(ProjectView):
    @extend_schema(
        operation_id="config_versions_list",
        responses=page_of(shapes.ConfigVersionSerializer),
        tags=["configs"],
    )
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """A config's versions, highest first."""
        config = config_by_name(project_id=self.project.id, name=name)
        return self.page(config_versions(config=config), shapes.ConfigVersionSerializer)

    @extend_schema(
        operation_id="config_versions_publish",
        request=shapes.ConfigVersionWriteSerializer,
        responses={201: shapes.ConfigVersionSerializer},
        tags=["configs"],
    )
    def post(self, _request: Request, name: str, **_: Any) -> Response:
        """Publish a version; the first one makes the config."""
        found = self.project
        row = publish_config_version(
            actor=self.actor, project_id=found.id, name=name, **self.read(shapes.ConfigVersionWriteSerializer)
        )
        return Response(shapes.ConfigVersionSerializer(row).data, status=201)


class ConfigVersionDetail(ProjectView):
    @extend_schema(
        operation_id="config_versions_get", responses=shapes.ConfigVersionSerializer, tags=["configs"]
    )
    def get(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """One version."""
        config = config_by_name(project_id=self.project.id, name=name)
        return Response(shapes.ConfigVersionSerializer(config_version(config=config, version=version)).data)


class ConfigDryRun(ProjectView):
    @extend_schema(
        operation_id="configs_dry_run",
        request=shapes.DryRunRequestSerializer,
        responses=shapes.DryRunSerializer,
        tags=["configs"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Try a config body before it is published: the safe-mode answer, and what the policy filter says. Stores nothing."""
        result = try_config(
            actor=self.actor, project_id=self.project.id, **self.read(shapes.DryRunRequestSerializer)
        )
        return Response(shapes.DryRunSerializer(result).data)
