from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from promptstore.core.errors import InvalidInput
from promptstore.core.http.project_views import ProjectView, page_of
from registry.dataset_exports import export_cases
from registry.dataset_files import FileFormat
from registry.models import Dataset
from registry.selectors.datasets import (
    cases_of,
    dataset_by_name,
    dataset_version,
    dataset_versions,
    datasets,
    verify_version,
)
from registry.serializers import datasets as shapes
from registry.services.datasets import create_dataset, freeze_dataset
from registry.services.imports import check_import, import_cases


class DatasetView(ProjectView):
    """A view below one dataset."""

    def dataset(self) -> Dataset:
        return dataset_by_name(project_id=self.project.id, name=self.kwargs["name"])


class DatasetList(ProjectView):
    @extend_schema(
        operation_id="datasets_list", responses=page_of(shapes.DatasetSerializer), tags=["datasets"]
    )
    def get(self, _request: Request, **_: Any) -> Response:
        """A project's datasets, the danger set among them, newest first."""
        return self.page(datasets(project_id=self.project.id), shapes.DatasetSerializer)

    @extend_schema(
        operation_id="datasets_create",
        request=shapes.DatasetCreateSerializer,
        responses={201: shapes.DatasetSerializer},
        tags=["datasets"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """A new held-out dataset."""
        found = self.project
        made = create_dataset(
            actor=self.actor, project_id=found.id, **self.read(shapes.DatasetCreateSerializer)
        )
        return Response(
            shapes.DatasetSerializer(datasets(project_id=found.id).get(pk=made.pk)).data, status=201
        )


class DatasetDetail(DatasetView):
    @extend_schema(operation_id="datasets_get", responses=shapes.DatasetSerializer, tags=["datasets"])
    def get(self, _request: Request, **_: Any) -> Response:
        """One dataset."""
        return Response(shapes.DatasetSerializer(self.dataset()).data)


class DatasetVersionList(DatasetView):
    @extend_schema(
        operation_id="dataset_versions_list",
        responses=page_of(shapes.DatasetVersionSerializer),
        tags=["datasets"],
    )
    def get(self, _request: Request, **_: Any) -> Response:
        """A dataset's frozen versions."""
        return self.page(dataset_versions(dataset=self.dataset()), shapes.DatasetVersionSerializer)

    @extend_schema(
        operation_id="dataset_versions_freeze",
        request=shapes.FreezeSerializer,
        responses={201: shapes.DatasetVersionSerializer},
        tags=["datasets"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Freeze the current cases as the next version."""
        row = freeze_dataset(
            actor=self.actor, dataset_id=self.dataset().id, **self.read(shapes.FreezeSerializer)
        )
        return Response(shapes.DatasetVersionSerializer(row).data, status=201)


class DatasetVersionDetail(DatasetView):
    @extend_schema(
        operation_id="dataset_versions_get",
        responses=shapes.DatasetVersionDetailSerializer,
        tags=["datasets"],
    )
    def get(self, _request: Request, version: str, **_: Any) -> Response:
        """A frozen version: its cases in their order, and whether they are still what was frozen."""
        row = dataset_version(dataset=self.dataset(), version=version)
        found = {"version": row, "cases": cases_of(row), "verification": verify_version(row)}
        return Response(shapes.DatasetVersionDetailSerializer(found).data)


class DatasetImport(DatasetView):
    @extend_schema(
        operation_id="datasets_import",
        request=shapes.ImportSerializer,
        responses=shapes.ImportReportSerializer,
        tags=["datasets"],
    )
    def post(self, _request: Request, **_: Any) -> Response:
        """Add the cases of a JSONL or CSV file, all or none; `dry_run` reports line by line and changes nothing."""
        dataset = self.dataset()
        wanted = self.read(shapes.ImportSerializer)
        given = {
            "actor": self.actor,
            "dataset_id": dataset.id,
            "text": wanted["text"],
            "file_format": wanted["format"],
        }
        if wanted["dry_run"]:
            report = check_import(**given)
            found = {"new": report.new, "same": report.same, "findings": report.findings, "dry_run": True}
        else:
            added = import_cases(**given)
            found = {"new": len(added.added), "same": len(added.same), "findings": [], "dry_run": False}
        return Response(shapes.ImportReportSerializer(found).data)


class DatasetExport(DatasetView):
    @extend_schema(
        operation_id="datasets_export",
        parameters=[
            OpenApiParameter("as", str, description="`jsonl` (default) or `csv`."),
            OpenApiParameter("version", str, description="A frozen version; default: the current cases."),
        ],
        responses=shapes.ExportSerializer,
        tags=["datasets"],
    )
    def get(self, request: Request, **_: Any) -> Response:
        """The cases as one file, which an import reads back."""
        wanted = request.query_params.get("as", FileFormat.JSONL.value)
        if wanted not in {kind.value for kind in FileFormat}:
            raise InvalidInput("Use jsonl or csv.", field="as")
        exported = export_cases(
            dataset=self.dataset(),
            file_format=FileFormat(wanted),
            version=request.query_params.get("version", ""),
        )
        return Response(shapes.ExportSerializer(exported).data)
