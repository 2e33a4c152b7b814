from __future__ import annotations

from io import BytesIO
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_safe

from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import allows
from releases import services
from releases.models import Release
from releases.selectors.overview import feature_overviews, listed_releases, places_of
from releases.selectors.places import find_release, release_by_id
from releases.selectors.release_page import Pin, release_view


@project_page()
@require_safe
def release_list(request: ProjectRequest) -> HttpResponse:
    """By feature: what is live where, what is on its way, then releases; `?feature=` shows all of one."""
    wanted = request.GET.get("feature", "")
    overviews = feature_overviews(request.project.pk, feature=wanted)
    page = None
    if wanted and overviews:
        feature = overviews[0].feature
        rows = Release.objects.select_related("composed_by", "feature").filter(feature=feature)
        page = keyset_page(rows, request.GET.get("cursor", ""))
        releases = listed_releases(page.rows, places_of(request.project.pk, feature.pk))
    context = {
        "overviews": overviews,
        "wanted": wanted,
        "page": page,
        "releases": releases if page else (),
    }
    return render(request, "releases/release_list.html", context)


@project_page()
@require_safe
def release_detail(request: ProjectRequest, release_id: UUID) -> HttpResponse:
    """The manifest, who made it, where it went, and what it served."""
    release = release_by_id(project_id=request.project.pk, release_id=release_id)
    view = release_view(request.actor, release)
    context = {
        "view": view,
        "pins": [(pin, _pin_url(pin)) for pin in view.pins],
        "reports": [(report, page_url("evals:report", report.digest)) for report in view.reports],
        "may_bundle": allows(request.actor, "audit.read", project_id=request.project.pk),
        "bundle_name": f"{release.feature.slug}-{release.version}.bundle",
        "inferences": [(row, page_url("telemetry:inference_detail", row.pk)) for row in view.inferences],
    }
    return render(request, "releases/release_detail.html", context)


@require_GET
@project_page("audit.read")
def release_bundle(request: ProjectRequest, release_id: UUID) -> HttpResponse:
    """The release's audit bundle as a download. That it was taken is recorded."""
    bundle = services.make_bundle(actor=request.actor, project_id=request.project.pk, release_id=release_id)
    return FileResponse(  # type: ignore[return-value]  # a page like any other to its decorators
        BytesIO(bundle.data),
        as_attachment=True,
        filename=bundle.name,
        content_type="application/x-tar",
        headers={"Cache-Control": "no-store"},
    )


@project_page()
@require_safe
def release_by_digest(request: ProjectRequest, digest: str) -> HttpResponse:
    """The page of the release that an inference or an incident names by its digest."""
    release = find_release(project_id=request.project.pk, reference=digest)
    return redirect("releases:release_detail", release_id=release.pk)


def _pin_url(pin: Pin) -> str:
    return page_url(f"registry:{pin.kind}_version", pin.name, pin.version) or page_url(
        f"registry:{pin.kind}_detail", pin.name
    )
