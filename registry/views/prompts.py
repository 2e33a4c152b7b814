from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal
from registry.forms.prompts import PromptForm
from registry.selectors.prompts import drafts, prompt_by_name, prompt_versions, prompts
from registry.services.prompts import archive_prompt, create_prompt, restore_prompt


@require_safe
@project_page()
def prompt_list(request: ProjectRequest) -> HttpResponse:
    """A project's prompts, with search."""
    search = request.GET.get("q", "").strip()
    archived = request.GET.get("show") == "archived"
    page = keyset_page(
        prompts(project_id=request.project.pk, search=search, archived=archived),
        request.GET.get("cursor", ""),
    )
    return render(
        request, "registry/prompt_list.html", {"page": page, "search": search, "archived": archived}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def prompt_create(request: ProjectRequest) -> HttpResponse:
    """Name a prompt; the editor opens next."""
    form = PromptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prompt = create_prompt(actor=request.actor, project_id=request.project.pk, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("registry:prompt_editor", name=prompt.name)
    return render(request, "registry/prompt_create.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@project_page()
def prompt_detail(request: ProjectRequest, name: str) -> HttpResponse:
    """Versions with their changelog, and what is being worked on."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    versions = keyset_page(prompt_versions(prompt=prompt), request.GET.get("cursor", ""), size=20)
    return render(
        request,
        "registry/prompt_detail.html",
        {"prompt": prompt, "versions": versions, "drafts": list(drafts(prompt=prompt))},
    )


@require_POST
@project_page()
def prompt_archive(request: ProjectRequest, name: str) -> HttpResponse:
    """Put a prompt away."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    archive_prompt(actor=request.actor, prompt_id=prompt.pk, reason=request.POST.get("reason", ""))
    messages.success(request, f"{prompt.name} is archived. You can restore it here.")
    return redirect("registry:prompt_detail", name=name)


@require_POST
@project_page()
def prompt_restore(request: ProjectRequest, name: str) -> HttpResponse:
    """Take it back into use."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    restore_prompt(actor=request.actor, prompt_id=prompt.pk)
    messages.success(request, f"{prompt.name} is in use again.")
    return redirect("registry:prompt_detail", name=name)
