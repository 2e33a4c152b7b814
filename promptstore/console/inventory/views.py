from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from promptstore.console.inventory.exports import FORMATS
from promptstore.console.inventory.pages import numbered_page
from promptstore.console.inventory.points import STATES, PointFilter, points
from promptstore.console.inventory.uses import uses_of
from promptstore.console.place import environments_of
from promptstore.core import clock
from promptstore.core.errors import NotFound
from promptstore.core.http.keyset import KeysetPage, keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.models import LanguageModel, Prompt
from registry.selectors.models import language_models
from registry.selectors.prompts import prompts

_FILTERS = ("text", "environment", "state", "sort")


@require_safe
@project_page()
def inventory(request: ProjectRequest) -> HttpResponse:
    """`?text= &environment= &state=live|silent|empty &sort= &cursor=`; unknown values filter and sort nothing."""
    wanted = read_filter(request.GET)
    found = points(project_id=request.project.pk, wanted=wanted)
    filters = request.GET.copy()
    filters.pop("cursor", None)
    tail = f"?{filters.urlencode()}" if filters else ""
    return render(
        request,
        "registry/inventory.html",
        {
            "page": numbered_page(found, request.GET.get("cursor", "")),
            "wanted": wanted,
            "filtered": bool(wanted.text or wanted.environment or wanted.state),
            "states": STATES.items(),
            "environments": environments_of(request.project),
            "exports": [
                (ending, reverse("console:inventory_export", args=[ending]) + tail) for ending in FORMATS
            ],
        },
    )


@require_safe
@project_page()
def inventory_export(request: ProjectRequest, ending: str) -> HttpResponse:
    """The points that fit the page's filters as a download."""
    if ending not in FORMATS:
        raise NotFound("The inventory is exported as csv or json.")
    content_type, written = FORMATS[ending]
    name = f"{request.project.slug}-inventory-{clock.now():%Y-%m-%d}.{ending}"
    return HttpResponse(
        written(points(project_id=request.project.pk, wanted=read_filter(request.GET))),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@require_safe
@project_page()
def inventory_artifacts(request: ProjectRequest) -> HttpResponse:
    """`?kind=prompt|model &q= &cursor=`: every prompt or model with the features whose live release uses it."""
    kind = "model" if request.GET.get("kind") == "model" else "prompt"
    search = request.GET.get("q", "")
    cursor = request.GET.get("cursor", "")
    of_prompts, of_models = uses_of(request.project.pk)
    page: KeysetPage[Prompt] | KeysetPage[LanguageModel]
    if kind == "model":
        page = keyset_page(language_models(project_id=request.project.pk, search=search), cursor)
    else:
        page = keyset_page(prompts(project_id=request.project.pk, search=search), cursor)
    uses = of_models if kind == "model" else of_prompts
    context = {
        "kind": kind,
        "search": search,
        "page": page,
        "rows": [(row, getattr(row, "latest_version", None), uses.get(row.name, [])) for row in page.rows],
        "page_name": f"registry:{kind}_detail",
    }
    return render(request, "registry/inventory_artifacts.html", context)


def read_filter(asked: Mapping[str, str]) -> PointFilter:
    """The filter that a query string asks for; a state that is none filters nothing."""
    given = {name: asked.get(name, "")[:200] for name in _FILTERS}
    if given["state"] not in STATES:
        given["state"] = ""
    return PointFilter(**given)
