from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal
from registry.forms.json_text import pretty
from registry.forms.models import PLACES, ModelForm, next_entry
from registry.models import LanguageModel, ModelVersion
from registry.selectors.endpoints import endpoints
from registry.selectors.models import language_models, model_by_name, model_version, model_versions
from registry.services.models import register_model_version

_WORDS = {
    "weights": "Weights",
    "training": "Training",
    "tokenizer": "Tokenizer",
    "runtime": "Runtime",
    "service_level": "Promised by the provider",
    "metrics": "Evaluation metrics",
    "params": "Parameters of every call",
}


@require_safe
@project_page()
def model_list(request: ProjectRequest) -> HttpResponse:
    """A project's models, with search."""
    search = request.GET.get("q", "").strip()
    page = keyset_page(
        language_models(project_id=request.project.pk, search=search), request.GET.get("cursor", "")
    )
    return render(request, "registry/model_list.html", {"page": page, "search": search})


@require_safe
@project_page()
def model_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """A model's entries, and the latest in full."""
    model = model_by_name(project_id=request.project.pk, name=name)
    return _shown(request, model, model_versions(model=model).first())


@require_safe
@project_page()
def model_version_page(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """One entry in full."""
    model = model_by_name(project_id=request.project.pk, name=name)
    return _shown(request, model, model_version(model=model, version=version))


def _shown(request: ProjectRequest, model: LanguageModel, entry: ModelVersion | None) -> HttpResponse:
    versions = keyset_page(model_versions(model=model), request.GET.get("cursor", ""), size=20)
    return render(
        request,
        "registry/model_detail.html",
        {
            "model": model,
            "entry": entry,
            "versions": versions,
            "facts": _facts(entry) if entry else [],
            "drift_url": page_url("evals:drift", model.name, entry.version) if entry else "",
        },
    )


def _facts(entry: ModelVersion) -> list[tuple[str, list[tuple[str, str]]]]:
    """The JSON columns that say something, each as rows of words."""
    found = []
    for column, title in _WORDS.items():
        values: dict[str, Any] = getattr(entry, column) or {}
        rows = [(key.replace("_", " "), _in_words(value)) for key, value in values.items()]
        if rows:
            found.append((title, rows))
    return found


def _in_words(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else pretty(value)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def model_register(request: ProjectRequest) -> HttpResponse:
    """Write an entry down; `?model=` starts from its latest one."""
    names = [endpoint.name for endpoint in endpoints(project_id=request.project.pk)]
    form = ModelForm(request.POST or None, endpoints=names, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            row = register_model_version(
                actor=request.actor,
                project_id=request.project.pk,
                name=form.cleaned_data["name"],
                version=form.cleaned_data["version"],
                entry=form.entry(),
                changelog=form.cleaned_data["changelog"],
            )
        except DomainError as error:
            show_refusal(form, error, places=PLACES)
        else:
            messages.success(request, f"{row} is registered.")
            return redirect("registry:model_version", name=row.model.name, version=row.version)
    return render(
        request,
        "registry/model_register.html",
        {"form": form, "has_endpoints": bool(names)},
        status=422 if form.errors else 200,
    )


def _initial(request: ProjectRequest) -> dict[str, Any]:
    name = request.GET.get("model", "")
    model = LanguageModel.objects.filter(project_id=request.project.pk, name=name).first() if name else None
    latest = model_versions(model=model).first() if model else None
    return next_entry(latest) if latest else {"kind": "hosted"}
