"""The management API of suites."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from evals import services
from evals.selectors.suites import suite_by_name, suite_version, suite_versions, suites
from evals.serializers.suites import SuiteOut, SuitePublishIn, SuiteVersionOut
from promptstore.core.http.project_views import ProjectView, page_of

TAGS = ["suites"]


class SuiteList(ProjectView):
    @extend_schema(operation_id="suites_list", responses=page_of(SuiteOut), tags=TAGS)
    def get(self, _request: Request, **_: Any) -> Response:
        """A project's suites, newest first."""
        return self.page(suites(project_id=self.project.pk), SuiteOut)

    @extend_schema(
        operation_id="suites_publish", request=SuitePublishIn, responses={201: SuiteVersionOut}, tags=TAGS
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Publish a version under the name in its body; the first one makes the suite."""
        row = services.publish_suite(
            actor=self.actor, project_id=self.project.pk, **self.read(SuitePublishIn)
        )
        return Response(SuiteVersionOut(row).data, status=201)


class SuiteDetail(ProjectView):
    @extend_schema(operation_id="suites_get", responses=SuiteOut, tags=TAGS)
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """One suite."""
        return Response(SuiteOut(suite_by_name(project_id=self.project.pk, name=name)).data)


class SuiteVersionList(ProjectView):
    @extend_schema(operation_id="suite_versions_list", responses=page_of(SuiteVersionOut), tags=TAGS)
    def get(self, _request: Request, name: str, **_: Any) -> Response:
        """A suite's versions."""
        suite = suite_by_name(project_id=self.project.pk, name=name)
        return self.page(suite_versions(suite=suite), SuiteVersionOut)


class SuiteVersionDetail(ProjectView):
    @extend_schema(operation_id="suite_versions_get", responses=SuiteVersionOut, tags=TAGS)
    def get(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """One version in full."""
        suite = suite_by_name(project_id=self.project.pk, name=name)
        return Response(SuiteVersionOut(suite_version(suite=suite, version=version)).data)
