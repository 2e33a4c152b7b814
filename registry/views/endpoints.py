from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.endpoints import EndpointEditForm, EndpointForm
from registry.forms.errors import show_refusal
from registry.selectors.endpoints import endpoint_by_name, endpoints
from registry.services.endpoints import check_endpoint, create_endpoint, update_endpoint


@require_safe
@project_page()
def endpoint_list(request: ProjectRequest) -> HttpResponse:
    """A project's endpoints with their latest probe."""
    page = keyset_page(endpoints(project_id=request.project.pk), request.GET.get("cursor", ""))
    return render(request, "registry/endpoint_list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def endpoint_create(request: ProjectRequest) -> HttpResponse:
    """Name an endpoint; it is probed before it is stored."""
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = {key: value for key, value in form.cleaned_data.items() if key != "revision"}
        try:
            made = create_endpoint(actor=request.actor, project_id=request.project.pk, **typed)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{made.name} is ready.")
            return redirect("registry:endpoint_detail", name=made.name)
    return render(
        request, "registry/endpoint_create.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def endpoint_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """What an endpoint is, and the form that changes it."""
    endpoint = endpoint_by_name(project_id=request.project.pk, name=name)
    initial = {
        "revision": endpoint.revision,
        "base_url": endpoint.base_url,
        "allow_private": endpoint.allow_private,
    }
    form = EndpointEditForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = update_endpoint(
                actor=request.actor,
                endpoint_id=endpoint.pk,
                revision=form.cleaned_data["revision"] or 0,
                base_url=form.cleaned_data["base_url"],
                api_key=form.key(),
                allow_private=form.cleaned_data["allow_private"],
                force=form.cleaned_data["force"],
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            said = (
                "Nothing to change."
                if saved.revision == endpoint.revision
                else "Serving nodes use it within seconds."
            )
            messages.success(request, said)
            return redirect("registry:endpoint_detail", name=name)
    check = endpoint.last_check or {}
    return render(
        request,
        "registry/endpoint_detail.html",
        {
            "endpoint": endpoint,
            "form": form,
            "check": check,
            "checked_at": parse_datetime(check["at"]) if check else None,
            "entries": endpoint.model_versions.select_related("model").order_by("-pk")[:20],
        },
        status=422 if form.errors else 200,
    )


@require_POST
@project_page()
def endpoint_check(request: ProjectRequest, name: str) -> HttpResponse:
    """Probe it now."""
    endpoint = endpoint_by_name(project_id=request.project.pk, name=name)
    result = check_endpoint(actor=request.actor, endpoint_id=endpoint.pk)
    (messages.success if result.ok else messages.error)(request, result.detail)
    return redirect("registry:endpoint_detail", name=name)
