from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from promptstore.core.errors import DomainError
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.drafting import lint_draft, propose_version
from registry.forms.errors import show_refusal
from registry.forms.prompts import PublishForm
from registry.models import PromptDraft, PromptVersion
from registry.selectors.prompts import draft_by_name, latest_version, prompt_by_name, prompt_version
from registry.services.drafts import reopen_draft
from registry.services.publishing import publish_version, withdraw_version
from registry.views.comparing import changes_between, cost_changes
from registry.views.editor import MAIN
from registry.views.editor_panes import places_of


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def prompt_publish(request: ProjectRequest, name: str) -> HttpResponse:
    """The derived version with its reasons, what changes, what it costs — then the button."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    draft = draft_by_name(prompt=prompt, name=MAIN)
    form = PublishForm(request.POST or None, initial={"revision": draft.revision})
    if request.method == "POST" and form.is_valid():
        try:
            made = publish_version(
                actor=request.actor,
                draft_id=draft.pk,
                revision=form.cleaned_data["revision"],
                version=form.wanted(),
                changelog=form.cleaned_data["changelog"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{made} is published.")
            return redirect("registry:prompt_version", name=name, version=made.version)
    return _review(request, draft, form)


def _review(request: ProjectRequest, draft: PromptDraft, form: PublishForm) -> HttpResponse:
    latest = latest_version(prompt=draft.prompt)
    report = lint_draft(
        actor=request.actor, project_id=draft.project_id, body=draft.body, example_inputs=draft.example_inputs
    )
    proposal = propose_version(actor=request.actor, prompt=draft.prompt, body=draft.body)
    form.fields["version"].help_text = f"Empty: {proposal.version}, which the change itself asks for."
    context = {
        "prompt": draft.prompt,
        "draft": draft,
        "form": form,
        "latest": latest,
        "report": report,
        "findings": places_of(report),
        "proposal": proposal,
        "unchanged": latest is not None and latest.body == draft.body and not hasattr(latest, "withdrawal"),
        "changes": changes_between(latest.body, draft.body) if latest else None,
        "costs": cost_changes(draft, latest) if report.publishable else [],
    }
    return render(request, "registry/prompt_publish.html", context, status=422 if form.errors else 200)


@require_POST
@project_page()
def prompt_reopen(request: ProjectRequest, name: str) -> HttpResponse:
    """Start the draft over from a version."""
    prompt = prompt_by_name(project_id=request.project.pk, name=name)
    draft = draft_by_name(prompt=prompt, name=MAIN)
    revision = request.POST.get("revision", "")
    version = request.POST.get("version", "")
    reopen_draft(
        actor=request.actor,
        draft_id=draft.pk,
        revision=int(revision) if revision.isdecimal() and len(revision) < 10 else 0,
        version=version,
    )
    messages.success(request, f"The draft says what {version} says.")
    return redirect("registry:prompt_editor", name=name)


@require_POST
@project_page()
def prompt_withdraw(request: ProjectRequest, name: str, version: str) -> HttpResponse:
    """Keep new releases from using a version."""
    row: PromptVersion = prompt_version(
        prompt=prompt_by_name(project_id=request.project.pk, name=name), version=version
    )
    withdraw_version(actor=request.actor, version_id=row.pk, reason=request.POST.get("reason", ""))
    messages.success(request, f"{row} is withdrawn. New releases cannot use it.")
    return redirect("registry:prompt_version", name=name, version=row.version)
