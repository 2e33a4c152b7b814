from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from promptstore.console.place import environments_of
from promptstore.console.settings.forms import ServiceKeyForm
from promptstore.console.settings.listing import sorted_out
from promptstore.console.settings.once import show_secret, was_sent
from promptstore.core import keys
from promptstore.core.errors import DomainError
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.selectors import environment_by_slug
from registry.forms.errors import show_refusal


@require_safe
@project_page("key.manage")
def service_key_list(request: ProjectRequest) -> HttpResponse:
    """The project's service keys, environment by environment."""
    found = sorted_out(keys.service_keys(project_id=request.project.pk))
    by_environment = [
        (one, [key for key in found.current if key.environment_id == one.pk])
        for one in environments_of(request.project)
    ]
    return render(
        request, "console/settings/service_key_list.html", {"keys": found, "by_environment": by_environment}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page("key.manage")
def service_key_create(request: ProjectRequest) -> HttpResponse:
    """Choose what a service may do where, then see the secret once."""
    form = ServiceKeyForm(
        environments_of(request.project),
        request.POST or None,
        initial={"environment": request.GET.get("environment", "")},
    )
    if request.method == "POST" and form.is_valid():
        form_id = form.cleaned_data["form_id"]
        if was_sent(request, form_id):
            return redirect("console:service_key_list")
        try:
            key, secret = keys.create_service_key(
                actor=request.actor,
                environment=environment_by_slug(
                    project_id=request.project.pk, slug=form.cleaned_data["environment"]
                ),
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            back_url = reverse("console:service_key_list")
            return show_secret(request, key=key, secret=secret, form_id=form_id, back_url=back_url)
    return render(
        request,
        "console/settings/service_key_create.html",
        {"form": form},
        status=422 if form.errors else 200,
    )
