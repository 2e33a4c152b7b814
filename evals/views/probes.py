"""Pages: whether a model version still answers as it did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition, require_POST, require_safe

from evals import services
from evals.models import DriftProbe, ProbeRun
from evals.selectors.probes import changed_in, drift_state, probe_run, probe_runs, sentence_of
from evals.selectors.service_levels import promise_of, service_level
from evals.services.probes import PERMISSION
from promptstore.core.digests import digest_json
from promptstore.core.errors import InvalidInput
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import Project
from promptstore.core.permissions import allows
from registry.models import ModelVersion
from registry.selectors.models import model_by_name, model_version

CHART_RUNS: Final = 120
WARN_FROM: Final = 3  # runs in a row that could not be read


@require_safe
@project_page()
def drift(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """An entry's drift: the latest run or the one in `?run=`, its changed answers, and the course of the difference."""
    return render(request, "evals/drift.html", _context(request, _entry(request, name, version)))


def _live_etag(request: HttpRequest, name: str, version: str) -> str:
    """What the fragment shows changes when a run begins or ends, and when another baseline is accepted."""
    project: Project = getattr(request, "project")  # noqa: B009 - `project_page` has made sure of it
    known = DriftProbe.objects.filter(
        project_id=project.pk, entry__model__name=name, entry__version=version
    ).values_list("ticket", "baseline_id", "asked_at")
    shown = [[str(part) for part in row] for row in known]
    return f'"{digest_json([shown, str(request.user.pk), request.GET.urlencode()])}"'


@require_safe
@project_page()
@condition(etag_func=_live_etag)
def drift_live(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """The page's inside, to follow a run; 286 once it has ended."""
    found = _context(request, _entry(request, name, version))
    response = render(request, "evals/_drift.html", found)
    response.status_code = 200 if found["state"].pending else 286
    patch_vary_headers(response, ["Cookie"])
    return response


@require_POST
@project_page()
def probe_now(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """Ask for a run, and come back to watch it."""
    entry = _entry(request, name, version)
    services.request_probe(actor=request.actor, project_id=request.project.pk, entry_id=entry.pk)
    messages.success(request, "The questions are being asked. This takes a minute or two.")
    return HttpResponseRedirect(reverse("evals:drift", args=[name, version]))


@require_POST
@project_page()
def accept_baseline(request: ProjectRequest, name: str, version: str, run_id: UUID) -> HttpResponse:
    """Compare with this run from now on."""
    run = probe_run(entry=_entry(request, name, version), run_id=run_id)
    services.accept_baseline(
        actor=request.actor,
        project_id=request.project.pk,
        run_id=run.pk,
        reason=request.POST.get("reason", ""),
    )
    messages.success(request, "This run is the baseline now.")
    return HttpResponseRedirect(reverse("evals:drift", args=[name, version]))


def _entry(request: ProjectRequest, name: str, version: str) -> ModelVersion:
    return model_version(model=model_by_name(project_id=request.project.pk, name=name), version=version)


def _context(request: ProjectRequest, entry: ModelVersion) -> dict[str, Any]:
    state = drift_state(entry=entry)
    shown = _shown(request, entry, state.latest)
    runs = keyset_page(probe_runs(entry=entry), request.GET.get("cursor", ""), size=20)
    return {
        "entry": entry,
        "state": state,
        "run": shown,
        "sentence": sentence_of(shown) if shown else "",
        "changed": changed_in(shown) if shown else [],
        "runs": runs,
        "chart": _chart(probe_runs(entry=entry)[:CHART_RUNS]),
        "warn_unreadable": state.probe is not None and state.probe.unreadable_runs >= WARN_FROM,
        "hosted": entry.kind == ModelVersion.Kind.HOSTED,
        "may_probe": allows(request.actor, PERMISSION, project_id=entry.project_id),
        "promise": promise_of(entry),
        "measured": service_level(entry=entry),
    }


def _shown(request: ProjectRequest, entry: ModelVersion, latest: ProbeRun | None) -> ProbeRun | None:
    asked = request.GET.get("run", "")
    if not asked:
        return probe_run(entry=entry, run_id=latest.pk) if latest else None
    try:
        return probe_run(entry=entry, run_id=UUID(asked))
    except ValueError as error:
        raise InvalidInput("This is no run's id.", field="run") from error


def _chart(runs: Iterable[ProbeRun]) -> dict[str, Any] | None:
    """The difference over time with its interval, as the chart component takes it; None before there are two points."""
    points = [run for run in runs if run.difference is not None][::-1]
    if len(points) < 2:
        return None
    return {
        "unit": "percent",
        "x": [int(run.finished_at.timestamp()) for run in points],
        "series": [
            {
                "key": "difference",
                "label": "Changed answers beyond chance",
                "values": [run.difference for run in points],
                "low": [run.lower for run in points],
                "high": [run.upper for run in points],
            }
        ],
        "limit": {
            "value": points[-1].threshold,
            "label": "Drift when all of the interval is above",
            "breach": "above",
        },
    }
