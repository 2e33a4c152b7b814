"""The management API of drift probes, below a model's version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from evals import services
from evals.selectors.probes import drift_state, probe_run, probe_runs
from evals.serializers.probes import (
    AcceptIn,
    DriftStateOut,
    ProbeRequestedOut,
    ProbeRunDetailOut,
    ProbeRunOut,
)
from promptstore.core.http.project_views import ProjectView, page_of
from registry.models import ModelVersion
from registry.selectors.models import model_by_name, model_version

TAGS = ["drift probes"]


class EntryView(ProjectView):
    """Of one model version, which the path names."""

    def entry(self, name: str, version: str) -> ModelVersion:
        return model_version(model=model_by_name(project_id=self.project.pk, name=name), version=version)


class DriftDetail(EntryView):
    @extend_schema(operation_id="model_drift_read", responses=DriftStateOut, tags=TAGS)
    def get(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """The baseline, the latest run, and what is under way."""
        return Response(DriftStateOut(drift_state(entry=self.entry(name, version))).data)


class ProbeRunList(EntryView):
    @extend_schema(operation_id="model_probes_list", responses=page_of(ProbeRunOut), tags=TAGS)
    def get(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """The entry's probe runs, newest first."""
        return self.page(probe_runs(entry=self.entry(name, version)), ProbeRunOut)

    @extend_schema(
        operation_id="model_probes_request", request=None, responses={202: ProbeRequestedOut}, tags=TAGS
    )
    def post(self, _request: Request, name: str, version: str, **_: Any) -> Response:
        """Probe now. A worker does it within minutes; while one is under way, that one is meant."""
        entry = self.entry(name, version)
        run = services.request_probe(actor=self.actor, project_id=self.project.pk, entry_id=entry.pk)
        return Response(ProbeRequestedOut({"run": run}).data, status=202)


class ProbeRunDetail(EntryView):
    @extend_schema(operation_id="model_probes_read", responses=ProbeRunDetailOut, tags=TAGS)
    def get(self, _request: Request, name: str, version: str, run_id: UUID, **_: Any) -> Response:
        """One run with every answer."""
        return Response(ProbeRunDetailOut(probe_run(entry=self.entry(name, version), run_id=run_id)).data)


class ProbeRunAccept(EntryView):
    @extend_schema(
        operation_id="model_probes_accept", request=AcceptIn, responses={200: DriftStateOut}, tags=TAGS
    )
    def post(self, _request: Request, name: str, version: str, run_id: UUID, **_: Any) -> Response:
        """Compare with this run from now on."""
        run = probe_run(entry=self.entry(name, version), run_id=run_id)
        services.accept_baseline(
            actor=self.actor, project_id=self.project.pk, run_id=run.pk, reason=self.read(AcceptIn)["reason"]
        )
        return Response(DriftStateOut(drift_state(entry=run.entry)).data)
