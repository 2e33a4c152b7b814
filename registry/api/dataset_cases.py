from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.http.conditional import IF_MATCH, revision_of, with_etag
from promptstore.core.http.project_views import ProjectView, page_of
from registry.api.datasets import DatasetView
from registry.api.parameters import SEARCH
from registry.selectors.datasets import case_by_key, listed_cases
from registry.serializers import datasets as shapes
from registry.services.case_changes import change_case, erase_case, remove_case, restore_case
from registry.services.cases import add_cases
from registry.services.danger import add_danger_case


class CaseList(DatasetView):
    @extend_schema(
        operation_id="dataset_cases_list",
        parameters=[
            SEARCH,
            OpenApiParameter("feature", str, description="Only cases of this feature."),
            OpenApiParameter("show", str, description="`current` (default), `removed` or `erased`."),
        ],
        responses=page_of(shapes.CaseSerializer),
        tags=["datasets"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """A dataset's cases, newest first."""
        asked = request.query_params
        rows = listed_cases(
            dataset=self.dataset(),
            show=asked.get("show", "current"),
            search=asked.get("search", ""),
            feature=asked.get("feature", ""),
        )
        return self.page(rows, shapes.CaseSerializer)

    @extend_schema(
        operation_id="dataset_cases_add",
        request=shapes.CasesAddSerializer,
        responses=shapes.AddedSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Add cases, all or none. Keys that are there with the same content are left alone."""
        dataset = self.dataset()
        added = add_cases(actor=self.actor, dataset_id=dataset.id, **self.read(shapes.CasesAddSerializer))
        return Response(shapes.AddedSerializer(added).data)


class CaseDetail(DatasetView):
    @extend_schema(operation_id="dataset_cases_get", responses=shapes.CaseSerializer, tags=["datasets"])
    def get(self, _request: Request, key: str, **_: Any) -> Response:
        """One case; its revision is the ETag."""
        case = case_by_key(dataset=self.dataset(), key=key)
        return with_etag(shapes.CaseSerializer(case).data, case.revision)

    @extend_schema(
        operation_id="dataset_cases_change",
        parameters=[IF_MATCH],
        request=shapes.CaseChangeSerializer,
        responses=shapes.CaseStateSerializer,
        tags=["datasets"],
    )
    def put(self, request: Request, key: str, **_: Any) -> Response:
        """Say something else under the same key. Frozen versions keep what they hold."""
        dataset = self.dataset()
        case_by_key(dataset=dataset, key=key)
        case = change_case(
            actor=self.actor,
            dataset_id=dataset.id,
            key=key,
            revision=revision_of(request),
            **self.read(shapes.CaseChangeSerializer),
        )
        return with_etag(shapes.CaseStateSerializer(case).data, case.revision)


class CaseRemove(DatasetView):
    @extend_schema(
        operation_id="dataset_cases_remove",
        request=None,
        responses=shapes.CaseStateSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, key: str, **_: Any) -> Response:
        """Leave a case out of future versions. Refused in the danger set."""
        case = remove_case(actor=self.actor, dataset_id=self.dataset().id, key=key)
        return Response(shapes.CaseStateSerializer(case).data)


class CaseRestore(DatasetView):
    @extend_schema(
        operation_id="dataset_cases_restore",
        request=None,
        responses=shapes.CaseStateSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, key: str, **_: Any) -> Response:
        """Take a removed case back."""
        case = restore_case(actor=self.actor, dataset_id=self.dataset().id, key=key)
        return Response(shapes.CaseStateSerializer(case).data)


class CaseErase(DatasetView):
    @extend_schema(
        operation_id="dataset_cases_erase",
        request=shapes.EraseSerializer,
        responses=shapes.CaseStateSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, key: str, **_: Any) -> Response:
        """Destroy what a case says, for good. Frozen versions still verify."""
        dataset = self.dataset()
        case = erase_case(
            actor=self.actor, dataset_id=dataset.id, key=key, **self.read(shapes.EraseSerializer)
        )
        return Response(shapes.CaseStateSerializer(case).data)


class DangerCaseList(ProjectView):
    @extend_schema(
        operation_id="danger_cases_add",
        request=shapes.DangerCaseSerializer,
        responses=shapes.CaseStateSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Add a failure to the danger set. The same source adds one case only."""
        found = self.project
        case = add_danger_case(
            actor=self.actor, project_id=found.id, **self.read(shapes.DangerCaseSerializer)
        )
        return Response(shapes.CaseStateSerializer(case).data)
