from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from promptstore.core.errors import DomainError, NotFound
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import require
from registry.models import Feature
from releases import services
from releases.forms import ComposeForm, add_error
from releases.models import Release
from releases.selectors.composition import choices, manifest_of, proposal_from
from releases.selectors.differences import compare
from releases.selectors.overview import Place, places_of
from releases.selectors.release_page import pins_of

INVALID = 422


@project_page()
@require_http_methods(["GET", "HEAD", "POST"])
def release_compose(request: ProjectRequest) -> HttpResponse:
    """What is live beside what is proposed. `?feature=` chooses the feature, `?beside=` the environment to compare with.

    A post with `intent=compare` shows the difference and composes nothing.
    """
    require(request.actor, "release.compose", project_id=request.project.pk)
    features = list(Feature.objects.filter(project_id=request.project.pk).order_by("slug"))
    if not features:
        return render(request, "releases/compose_first.html")
    feature = _chosen(features, request.GET.get("feature", ""))
    places = [place for place in places_of(request.project.pk, feature.pk) if place.release]
    base = _base(places, request.GET.get("beside", ""))
    live = base.release if base else None
    available = choices(request.project.pk)
    start = proposal_from(live or Release.objects.filter(feature=feature).order_by("-id").first())
    form = ComposeForm(available, start, request.POST if request.method == "POST" else None)
    if request.method == "POST" and request.POST.get("intent") != "compare":
        release = _compose(request, feature, form)
        if release is not None:
            messages.success(request, f"Composed {release}. Nothing is served yet: request its promotion.")
            return redirect("releases:release_detail", release_id=release.pk)
    context = {
        "features": features,
        "feature": feature,
        "bases": places,
        "base": base,
        "live": live,
        "live_pins": pins_of(live) if live else (),
        "missing": available.missing,
    }
    if not available.missing:
        context |= _proposed(request.project.pk, feature, live, form)
    return render(
        request, "releases/release_compose.html", context, status=INVALID if form.has_been_refused else 200
    )


def _proposed(project_id: UUID, feature: Feature, live: Release | None, form: ComposeForm) -> dict[str, Any]:
    proposal = form.proposal()
    models = form.model_fields()
    return {
        "form": form,
        "prompt_fields": form.prompt_fields(),
        "primary_model": models[0],
        "other_models": models[1:],
        "more_models": len(proposal.models) > 1,
        "difference": compare(project_id, live, manifest_of(feature, proposal)),
    }


def _compose(request: ProjectRequest, feature: Feature, form: ComposeForm) -> Release | None:
    form.has_been_refused = True
    if not form.is_valid():
        return None
    proposal = form.proposal()
    try:
        return services.compose_release(
            actor=request.actor,
            project_id=request.project.pk,
            feature=feature.slug,
            prompts=proposal.prompts,
            models=proposal.models,
            config=proposal.config,
            primary=proposal.primary,
            version=form.cleaned_data["version"] or None,
            changelog=form.cleaned_data["changelog"],
        )
    except DomainError as error:
        add_error(form, error)
        return None


def _chosen(features: list[Feature], slug: str) -> Feature:
    if not slug:
        return features[0]
    found = next((feature for feature in features if feature.slug == slug), None)
    if found is None:
        raise NotFound(f"This project has no feature “{slug[:80]}”.", field="feature")
    return found


def _base(places: list[Place], slug: str) -> Place | None:
    """The place to compare with: the chosen environment, else the last one where something is live."""
    chosen = next((place for place in places if place.environment.slug == slug), None)
    return chosen or (places[-1] if places else None)
