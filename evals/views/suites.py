"""Pages: the suites that gates ask, and publishing one."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from evals.forms import SuiteForm
from evals.models import SuiteVersion
from evals.selectors.suites import suite_by_name, suite_version, suite_versions, suites
from evals.services import publish_suite
from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal
from registry.forms.json_text import pretty

# What a first suite may look like. The dataset is the reader's to fill in.
_EXAMPLE: Final[dict[str, Any]] = {
    "name": "support",
    "stages": [
        {"kind": "static"},
        {
            "kind": "functional",
            "dataset": "held-out@1.0.0",
            "scorers": [{"scorer": "schema_valid", "min": 1}],
        },
    ],
    "budget": {"max_cases": 500, "max_seconds": 240},
}


@require_safe
@project_page()
def suite_list(request: ProjectRequest) -> HttpResponse:
    """A project's suites with their newest versions."""
    page = keyset_page(suites(project_id=request.project.pk), request.GET.get("cursor", ""))
    return render(request, "evals/suite_list.html", {"page": page})


@require_safe
@project_page()
def suite_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """A suite's newest version."""
    suite = suite_by_name(project_id=request.project.pk, name=name)
    return _shown(request, suite_versions(suite=suite)[0])


@require_safe
@project_page()
def suite_version_page(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """What a version asks and demands."""
    suite = suite_by_name(project_id=request.project.pk, name=name)
    return _shown(request, suite_version(suite=suite, version=version))


def _shown(request: ProjectRequest, version: SuiteVersion) -> HttpResponse:
    return render(
        request,
        "evals/suite_version.html",
        {
            "suite": version.suite,
            "version": version,
            "versions": suite_versions(suite=version.suite)[:20],
            "stages": [_stage(stage) for stage in version.body["stages"]],
            "text": pretty(version.body),
            "pinned": _pinned(version),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def suite_publish(request: ProjectRequest) -> HttpResponse:
    """`?from=`: publish a version, beginning with the newest of a suite."""
    if request.method != "POST":
        return render(request, "evals/suite_publish.html", {"form": SuiteForm(initial=_beginning(request))})
    form = SuiteForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            row = publish_suite(
                actor=request.actor,
                project_id=request.project.pk,
                body=given["body"],
                version=given["version"].strip() or None,
                changelog=given["changelog"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{row} is published. A policy pins it in its gate_params.")
            return redirect("evals:suite_detail", name=row.suite.name)
    return render(request, "evals/suite_publish.html", {"form": form}, status=422)


def _beginning(request: ProjectRequest) -> dict[str, str]:
    name = request.GET.get("from", "")
    body = _EXAMPLE
    if name:
        suite = suite_by_name(project_id=request.project.pk, name=name)
        body = suite_versions(suite=suite)[0].body
    return {"body": pretty(body)}


def _stage(stage: dict[str, Any]) -> dict[str, Any]:
    """A stage with the name and version of its dataset apart, and the scorers' parameters as they are written."""
    scorers = [
        {**scorer, "params": [(name, json.dumps(value)) for name, value in scorer["params"].items()]}
        for scorer in stage.get("scorers", ())
    ]
    name, _, version = stage.get("dataset", "").partition("@")
    return {**stage, "scorers": scorers, "place": (name, version) if name else None}


def _pinned(version: SuiteVersion) -> str:
    """What a policy says to have the suite's stages asked, each kind by its gate."""
    kinds = dict.fromkeys(stage["kind"] for stage in version.body["stages"] if "dataset" in stage)
    return f'"gate_params": {json.dumps({kind: {"suite": str(version)} for kind in kinds})}'
