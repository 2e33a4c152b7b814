from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.datasets import CaseSource, NewCase, SourceKind
from registry.forms.datasets import CASE_PLACES, CaseForm, ChangeCaseForm, NewCaseForm, case_initial
from registry.forms.errors import show_refusal
from registry.forms.json_text import pretty
from registry.models import Dataset
from registry.selectors.datasets import case_by_key, dataset_by_name
from registry.selectors.features import features
from registry.services.case_changes import change_case, erase_case, remove_case, restore_case
from registry.services.cases import add_cases
from registry.services.danger import add_danger_case


def _slugs(request: ProjectRequest) -> list[str]:
    return sorted(feature.slug for feature in features(project_id=request.project.pk))


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def case_create(request: ProjectRequest, name: str) -> HttpResponse:
    """Write a case by hand."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    form = NewCaseForm(_slugs(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            case = NewCase(form.content(), key=typed["key"], feature=typed["feature"] or None)
            added = add_cases(actor=request.actor, dataset_id=dataset.pk, cases=[case])
        except DomainError as error:
            show_refusal(form, error, places=CASE_PLACES)
        else:
            key = (*added.added, *added.same)[0]
            messages.success(request, f"{key} is in {name}." if added.added else f"{key} was there already.")
            return redirect("registry:dataset_detail", name=name)
    context = {"form": form, "dataset": dataset, "is_danger": dataset.kind == Dataset.Kind.DANGER}
    return render(request, "registry/dataset_case_create.html", context, status=422 if form.errors else 200)


@require_safe
@project_page()
def case_detail(request: ProjectRequest, name: str, key: str) -> HttpResponse:
    """One case in full, and what can be done with it."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    case = case_by_key(dataset=dataset, key=key)
    return _shown(request, dataset, key, ChangeCaseForm(_slugs(request), initial=case_initial(case)), 200)


@require_POST
@project_page()
def case_change(request: ProjectRequest, name: str, key: str) -> HttpResponse:
    """Say something else under the same key."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    case_by_key(dataset=dataset, key=key)
    form = ChangeCaseForm(_slugs(request), request.POST)
    if form.is_valid():
        try:
            change_case(
                actor=request.actor,
                dataset_id=dataset.pk,
                key=key,
                revision=form.cleaned_data["revision"],
                content=form.content(),
                feature=form.cleaned_data["feature"] or None,
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            show_refusal(form, error, places=CASE_PLACES)
        else:
            messages.success(request, f"{key} is changed. Frozen versions keep what they hold.")
            return redirect("registry:case_detail", name=name, key=key)
    return _shown(request, dataset, key, form, 422)


def _shown(
    request: ProjectRequest, dataset: Dataset, key: str, form: ChangeCaseForm, status: int
) -> HttpResponse:
    case = case_by_key(dataset=dataset, key=key)
    content = case.content or {}
    return render(
        request,
        "registry/dataset_case.html",
        {
            "dataset": dataset,
            "case": case,
            "is_danger": dataset.kind == Dataset.Kind.DANGER,
            "in_use": case.erased_at is None and case.removed_at is None,
            "variables": pretty(content.get("variables")),
            "expected": None if content.get("expected") is None else pretty(content["expected"]),
            "form": form,
        },
        status=status,
    )


@require_POST
@project_page()
def case_remove(request: ProjectRequest, name: str, key: str) -> HttpResponse:
    """Leave a case out of future versions."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    remove_case(actor=request.actor, dataset_id=dataset.pk, key=key)
    messages.success(request, f"{key} is left out of the next version. You can restore it here.")
    return redirect("registry:case_detail", name=name, key=key)


@require_POST
@project_page()
def case_restore(request: ProjectRequest, name: str, key: str) -> HttpResponse:
    """Take it back."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    restore_case(actor=request.actor, dataset_id=dataset.pk, key=key)
    messages.success(request, f"{key} is back in {name}.")
    return redirect("registry:case_detail", name=name, key=key)


@require_POST
@project_page()
def case_erase(request: ProjectRequest, name: str, key: str) -> HttpResponse:
    """Destroy what a case says."""
    dataset = dataset_by_name(project_id=request.project.pk, name=name)
    erase_case(actor=request.actor, dataset_id=dataset.pk, key=key, reason=request.POST.get("reason", ""))
    messages.success(request, f"What {key} said is erased. Frozen versions still verify.")
    return redirect("registry:case_detail", name=name, key=key)


@require_POST
@project_page()
def danger_case_add(request: ProjectRequest) -> HttpResponse:
    """A failure becomes a case of the danger set.

    Without `action=add` it only opens the form, filled with what another page sent: `source` and `source_ref` say where the failure
    was seen, `answer` what came out then.
    """
    sent = request.POST
    kind = sent.get("source", "")
    known = kind in {one.value for one in SourceKind}
    source = CaseSource(SourceKind(kind) if known else SourceKind.MANUAL, sent.get("source_ref", ""))
    adding = sent.get("action") == "add"
    form = CaseForm(_slugs(request), sent if adding else None, initial=_prefilled(sent))
    if adding and form.is_valid():
        try:
            case = add_danger_case(
                actor=request.actor,
                project_id=request.project.pk,
                feature=form.cleaned_data["feature"] or None,
                content=form.content(),
                source=source,
            )
        except DomainError as error:
            show_refusal(form, error, places=CASE_PLACES)
        else:
            messages.success(request, f"{case.key} is in the danger set.")
            return redirect("registry:case_detail", name=case.dataset.name, key=case.key)
    return render(
        request,
        "registry/dataset_danger_add.html",
        {"form": form, "source": source, "answer": sent.get("answer", "")},
        status=422 if form.errors else 200,
    )


def _prefilled(sent: Any) -> dict[str, str]:
    variables = sent.get("variables") or "{}"
    try:
        shown = pretty(json.loads(variables))
    except (ValueError, RecursionError):
        shown = variables
    return {
        "feature": sent.get("feature", ""),
        "variables": shown,
        "expected": sent.get("expected", ""),
        "note": sent.get("note", ""),
    }
