from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.json_text import pretty
from registry.models import PromptVersion
from registry.selectors.prompts import draft_by_name, prompt_by_name, prompt_version, prompt_versions
from registry.views.comparing import changes_between
from registry.views.editor import MAIN

MAX_CHOICES = 200


@require_safe
@project_page()
def prompt_version_page(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """One immutable version: what it says, what was said about it, what uses it."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    row = prompt_version(prompt=prompt, version=version)
    earlier = prompt_versions(prompt=prompt).filter(version_order__lt=row.version_order).first()
    schemas = [
        (label, pretty(row.body[key]))
        for label, key in (
            ("Input schema", "input_schema"),
            ("Answer schema", "output_schema"),
            ("Tools", "tools"),
            ("Parameters", "params"),
        )
        if row.body.get(key)
    ]
    return render(
        request,
        "registry/prompt_version.html",
        {
            "prompt": prompt,
            "version": row,
            "earlier": earlier,
            "schemas": schemas,
            "examples": [(item["name"], pretty(item["variables"])) for item in row.example_inputs],
            "findings": [{**item, "code": item["rule"], "where": _where(item)} for item in row.findings],
            "draft": draft_by_name(prompt=prompt, name=MAIN),
        },
    )


@require_safe
@project_page()
def prompt_diff(request: ProjectRequest, name: str) -> HttpResponse:
    """What changed from one version to another; without a choice, from the last but one to the last."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    versions = list(prompt_versions(prompt=prompt)[:MAX_CHOICES])
    if not versions:
        return redirect("registry:prompt_detail", name=name)
    new = _chosen(versions, request.GET.get("to", ""), versions[0])
    old = _chosen(
        versions, request.GET.get("from", ""), versions[min(versions.index(new) + 1, len(versions) - 1)]
    )
    return render(
        request,
        "registry/prompt_diff.html",
        {
            "prompt": prompt,
            "versions": versions,
            "old": old,
            "new": new,
            "changes": changes_between(old.body, new.body),
            "view": "split" if request.GET.get("view") == "split" else "inline",
        },
    )


def _chosen(versions: list[PromptVersion], wanted: str, fallback: PromptVersion) -> PromptVersion:
    return next((row for row in versions if row.version == wanted.removeprefix("v")), fallback)


def _where(item: dict[str, object]) -> str:
    index = item.get("message_index")
    return f"Message {index + 1}" if isinstance(index, int) else str(item.get("field") or "")
