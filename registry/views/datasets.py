from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptstore.core.errors import DomainError, NotFound
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.dataset_exports import export_cases
from registry.dataset_files import FileFormat
from registry.dataset_versions import next_after
from registry.forms.datasets import DatasetForm, FreezeForm, ImportForm
from registry.forms.errors import show_refusal
from registry.models import Dataset
from registry.selectors.datasets import (
    cases_of,
    changes_since,
    danger_dataset,
    dataset_by_name,
    dataset_version,
    dataset_versions,
    datasets,
    latest_version,
    listed_cases,
    verify_version,
)
from registry.selectors.features import features
from registry.services.datasets import create_dataset, freeze_dataset
from registry.services.imports import ImportReport, check_import, import_cases


@require_safe
@project_page()
def dataset_list(request: ProjectRequest) -> HttpResponse:
    """A project's datasets, the danger set on top."""
    rows = datasets(project_id=request.project.pk).exclude(kind=Dataset.Kind.DANGER)
    return render(
        request,
        "registry/dataset_list.html",
        {
            "danger": danger_dataset(project_id=request.project.pk),
            "page": keyset_page(rows, request.GET.get("cursor", "")),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def dataset_create(request: ProjectRequest) -> HttpResponse:
    """Name a dataset; its page opens next."""
    form = DatasetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = create_dataset(actor=request.actor, project_id=request.project.pk, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{dataset.name} is there. Add its cases.")
            return redirect("registry:dataset_detail", name=dataset.name)
    return render(request, "registry/dataset_create.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@project_page()
def dataset_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """`?q= &feature= &show=removed|erased &cursor=`: a dataset's cases, versions, and what freezing would make of them."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    return shown(request, dataset, FreezeForm(), status=200)


def shown(request: ProjectRequest, dataset: Dataset, form: FreezeForm, *, status: int) -> HttpResponse:
    """The dataset's page with this form to freeze it."""
    asked = request.GET
    show = asked.get("show", "")
    rows = listed_cases(
        dataset=dataset,
        show=show if show in {"removed", "erased"} else "current",
        search=asked.get("q", ""),
        feature=asked.get("feature", ""),
    )
    latest = latest_version(dataset=dataset)
    changes = changes_since(dataset=dataset, version=latest)
    return render(
        request,
        "registry/dataset_detail.html",
        {
            "dataset": dataset,
            "is_danger": dataset.kind == Dataset.Kind.DANGER,
            "page": keyset_page(rows, asked.get("cursor", "")),
            "features": [feature.slug for feature in features(project_id=request.project.pk)],
            "filtered": any(asked.get(name) for name in ("q", "feature")),
            "show": show,
            "latest": latest,
            "versions": dataset_versions(dataset=dataset)[:10],
            "changes": changes,
            "proposal": next_after(latest.version if latest else None, gone=bool(changes.gone)),
            "form": form,
        },
        status=status,
    )


@require_POST
@project_page()
def dataset_freeze(request: ProjectRequest, name: str) -> HttpResponse:
    """Freeze the current cases."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    form = FreezeForm(request.POST)
    if form.is_valid():
        try:
            row = freeze_dataset(
                actor=request.actor,
                dataset_id=dataset.pk,
                version=form.cleaned_data["version"].strip() or None,
                changelog=form.cleaned_data["changelog"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{row} is frozen.")
            return redirect("registry:dataset_version", name=name, version=row.version)
    return shown(request, dataset, form, status=422)


@require_safe
@project_page()
def dataset_version_page(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """A frozen version: digest, cases, and whether they are still what was frozen."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    row = dataset_version(dataset=dataset, version=version)
    return render(
        request,
        "registry/dataset_version.html",
        {
            "dataset": dataset,
            "version": row,
            "cases": cases_of(row),
            "verification": verify_version(row),
            "versions": dataset_versions(dataset=dataset)[:10],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def dataset_import(request: ProjectRequest, name: str) -> HttpResponse:
    """Check a file line by line, then import all of it."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    form = ImportForm(request.POST or None, request.FILES or None)
    report: ImportReport | None = None
    if request.method == "POST" and form.is_valid():
        text, file_format = form.cleaned_data["text"], FileFormat(form.cleaned_data["format"])
        given = {"actor": request.actor, "dataset_id": dataset.pk, "text": text, "file_format": file_format}
        try:
            report = check_import(**given)
            if request.POST.get("action") == "import" and not report.findings:
                added = import_cases(**given)
                messages.success(
                    request, f"{len(added.added):,} cases added, {len(added.same):,} were there."
                )
                return redirect("registry:dataset_detail", name=name)
            # What was checked is shown as text, so that the next step imports just that.
            form = ImportForm(initial={"text": text, "format": file_format.value})
        except DomainError as error:
            show_refusal(form, error)
    failed = bool(form.errors or (report and report.findings))
    return render(
        request,
        "registry/dataset_import.html",
        {"dataset": dataset, "form": form, "report": report},
        status=422 if failed else 200,
    )


@require_safe
@project_page()
def dataset_export(request: ProjectRequest, name: str, ending: str) -> HttpResponse:
    """`?version=`: the cases as a file."""
    if ending not in {kind.value for kind in FileFormat}:
        raise NotFound("Cases are exported as csv or jsonl.")
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    exported = export_cases(
        dataset=dataset, file_format=FileFormat(ending), version=request.GET.get("version", "")
    )
    return HttpResponse(
        exported.text,
        content_type=exported.format.content_type,
        headers={"Content-Disposition": f'attachment; filename="{exported.name}"'},
    )
