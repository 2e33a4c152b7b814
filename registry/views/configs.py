from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.breaker import BreakerSettings
from registry.configs import DryRun
from registry.forms.configs import PLACES, ConfigForm, as_json, initial_of
from registry.forms.errors import show_refusal
from registry.models import ServingConfig, ServingConfigVersion
from registry.rendering.diff import diff_texts
from registry.selectors.configs import config_by_name, config_version, config_versions, configs
from registry.services.configs import publish_config_version, try_config


@require_safe
@project_page()
def config_list(request: ProjectRequest) -> HttpResponse:
    """A project's serving configs."""
    page = keyset_page(configs(project_id=request.project.pk), request.GET.get("cursor", ""))
    return render(request, "registry/config_list.html", {"page": page})


@require_safe
@project_page()
def config_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """A config's versions, and the latest in full."""
    config = config_by_name(project_id=request.project.pk, name=name)
    return _shown(request, config, config_versions(config=config).first())


@require_safe
@project_page()
def config_version_page(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """One version in full."""
    config = config_by_name(project_id=request.project.pk, name=name)
    return _shown(request, config, config_version(config=config, version=version))


def _shown(
    request: ProjectRequest, config: ServingConfig, version: ServingConfigVersion | None
) -> HttpResponse:
    rows = config_versions(config=config)
    earlier = rows.filter(version_order__lt=version.version_order).first() if version else None
    changes = []
    if version and earlier:
        segments = diff_texts(as_json(earlier.body), as_json(version.body))
        changes = [(segment.kind.value, segment.text) for segment in segments]
    return render(
        request,
        "registry/config_detail.html",
        {
            "config": config,
            "version": version,
            "earlier": earlier,
            "changes": changes,
            "breaker": BreakerSettings.parse(version.body.get("breaker")) if version else None,
            "body": as_json(version.body) if version else "",
            "versions": keyset_page(rows, request.GET.get("cursor", ""), size=20),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def config_publish(request: ProjectRequest) -> HttpResponse:
    """Try a config and publish it; `?config=` starts from its latest version."""
    form = ConfigForm(request.POST or None, initial=_initial(request))
    trial: DryRun | None = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("action") == "try":
                trial = try_config(
                    actor=request.actor,
                    project_id=request.project.pk,
                    body=form.body(),
                    variables=form.cleaned_data["sample_variables"] or {},
                    output=form.cleaned_data["sample_output"],
                )
            else:
                row = publish_config_version(
                    actor=request.actor,
                    project_id=request.project.pk,
                    name=form.cleaned_data["name"],
                    body=form.body(),
                    version=form.cleaned_data["version"] or None,
                    changelog=form.cleaned_data["changelog"],
                )
                messages.success(request, f"{row} is published.")
                return redirect("registry:config_version", name=row.config.name, version=row.version)
        except DomainError as error:
            show_refusal(form, error, places=PLACES)
    context = {"form": form, "trial": trial}
    return render(request, "registry/config_publish.html", context, status=422 if form.errors else 200)


def _initial(request: ProjectRequest) -> dict[str, object]:
    name = request.GET.get("config", "")
    config = ServingConfig.objects.filter(project_id=request.project.pk, name=name).first() if name else None
    latest = config_versions(config=config).first() if config else None
    return initial_of(name, latest.body) if latest else {"on_withdraw": "stable", "policy_mode": "buffer"}
