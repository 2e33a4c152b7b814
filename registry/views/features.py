from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptstore.core.errors import DomainError, NotFound
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import User
from registry.forms.errors import show_refusal
from registry.forms.features import AppointForm, FeatureEditForm, FeatureForm
from registry.models import Feature
from registry.selectors.features import feature_by_slug, features
from registry.selectors.people import people_of, people_who_may_approve
from registry.services.features import appoint_approver, create_feature, dismiss_approver, update_feature

# Where a feature leads, in the apps above; one whose page is missing is left out.
_PLACES = [
    ("Releases and where they are live", "releases:release_list", "release"),
    ("Incidents", "incidents:incident_list", "incident"),
    ("Inferences", "telemetry:inference_list", "activity"),
]


@require_safe
@project_page()
def feature_list(request: ProjectRequest) -> HttpResponse:
    """A project's features with who answers for them and who signs them off."""
    page = keyset_page(features(project_id=request.project.pk), request.GET.get("cursor", ""))
    return render(request, "registry/feature_list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def feature_create(request: ProjectRequest) -> HttpResponse:
    """Name a feature; its page opens next."""
    form = FeatureForm(
        people_of(project_id=request.project.pk), request.POST or None, initial={"owner": request.user.pk}
    )
    if request.method == "POST" and form.is_valid():
        typed = dict(form.cleaned_data)
        try:
            feature = create_feature(
                actor=request.actor,
                project_id=request.project.pk,
                owner_id=typed.pop("owner"),
                **typed,
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{feature.slug} can be released now.")
            return redirect("registry:feature_detail", name=feature.slug)
    return render(request, "registry/feature_create.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def feature_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """What a feature is, who signs it off, where it leads, and the form that changes it."""
    feature = feature_by_slug(project_id=request.project.pk, slug=name)
    if request.method != "POST":
        return _shown(request, feature)
    form = FeatureEditForm(people_of(project_id=request.project.pk), request.POST)
    if form.is_valid():
        typed = dict(form.cleaned_data)
        try:
            update_feature(actor=request.actor, feature_id=feature.pk, owner_id=typed.pop("owner"), **typed)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("registry:feature_detail", name=name)
    return _shown(request, feature, edit_form=form)


@require_POST
@project_page()
def feature_appoint(request: ProjectRequest, name: str) -> HttpResponse:
    """Let a member sign off this feature's releases."""
    feature = feature_by_slug(project_id=request.project.pk, slug=name)
    form = AppointForm(_candidates(feature), request.POST)
    if form.is_valid():
        try:
            row = appoint_approver(
                actor=request.actor, feature_id=feature.pk, user_id=form.cleaned_data["user"]
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{row.user} may sign off {feature.slug} now.")
            return redirect("registry:feature_detail", name=name)
    return _shown(request, feature, appoint_form=form)


@require_POST
@project_page()
def feature_dismiss(request: ProjectRequest, name: str) -> HttpResponse:
    """Take an appointment back."""
    feature = feature_by_slug(project_id=request.project.pk, slug=name)
    try:
        user_id = UUID(request.POST.get("user", ""))
    except ValueError:
        raise NotFound("This person is not appointed.", field="user") from None
    dismiss_approver(actor=request.actor, feature_id=feature.pk, user_id=user_id)
    messages.success(request, "The appointment is taken back.")
    return redirect("registry:feature_detail", name=name)


def _candidates(feature: Feature) -> list[User]:
    appointed = {row.user_id for row in feature.appointed_approvers.all()}
    may = people_who_may_approve(project_id=feature.project_id)
    return [person for person in may if person.pk not in appointed]


def _shown(
    request: ProjectRequest,
    feature: Feature,
    *,
    edit_form: FeatureEditForm | None = None,
    appoint_form: AppointForm | None = None,
) -> HttpResponse:
    """The feature's page; a form that is given keeps what was typed and says what is wrong with it."""
    people = people_of(project_id=feature.project_id)
    candidates = _candidates(feature)
    initial = {
        "name": feature.name,
        "description": feature.description,
        "risk_class": feature.risk_class,
        "owner": feature.owner_id or "",
    }
    context = {
        "feature": feature,
        "approvers": list(feature.appointed_approvers.all()),
        "candidates": candidates,
        "edit_form": edit_form or FeatureEditForm(people, initial=initial),
        "appoint_form": appoint_form or AppointForm(candidates),
        "links": _links(feature),
        "compose_url": _about(page_url("releases:release_compose"), feature),
    }
    wrong = any(form is not None and form.errors for form in (edit_form, appoint_form))
    return render(request, "registry/feature_detail.html", context, status=422 if wrong else 200)


def _links(feature: Feature) -> list[tuple[str, str, str]]:
    found = [(label, page_url(name), icon) for label, name, icon in _PLACES]
    return [(label, _about(url, feature), icon) for label, url, icon in found if url]


def _about(url: str, feature: Feature) -> str:
    return f"{url}?{urlencode({'feature': feature.slug})}" if url else ""
