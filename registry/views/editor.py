"""The prompt editor: a form that works as it is, and saves by itself where JavaScript runs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from promptstore.core.errors import DomainError, StaleWrite
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.editor import EditorState
from registry.models import PromptDraft
from registry.rendering.spec import Role
from registry.selectors.prompts import draft_by_name, prompt_by_name
from registry.services.drafts import save_draft
from registry.views.editor_panes import conflict_of, panes_of

MAIN = "main"


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def prompt_editor(request: ProjectRequest, name: str) -> HttpResponse:
    """Show the draft, or do what a button of the form says."""
    draft = _draft(request, name)
    if request.method != "POST":
        return _page(request, draft, EditorState.of_draft(draft))
    action = request.POST.get("action", "save")
    state = EditorState.of_post(request.POST)
    if action not in {"save", "publish"}:
        return _page(request, draft, state.after(action), unsaved=action != "preview")
    state, refusal = _save(request, draft, state)
    if refusal is not None:
        return _page(request, draft, state, refusal=refusal)
    if action == "publish":
        return redirect("registry:prompt_publish", name=name)
    messages.success(request, "Draft saved.")
    return redirect("registry:prompt_editor", name=name)


@require_POST
@project_page()
def prompt_autosave(request: ProjectRequest, name: str) -> HttpResponse:
    """Save what is in the boxes and answer with everything around them, as JSON of fragments.

    412 with who was faster; 422 with the boxes at fault. Neither changes anything.
    """
    draft = _draft(request, name)
    state, refusal = _save(request, draft, EditorState.of_post(request.POST))
    if refusal is not None:
        answer = {"detail": refusal.detail, "errors": state.errors}
        if isinstance(refusal, StaleWrite):
            conflict = {"conflict": conflict_of(_draft(request, name), state), "name": name}
            answer["conflict"] = render_to_string("registry/_editor_conflict.html", conflict, request)
        return JsonResponse(answer, status=refusal.status)
    saved = _draft(request, name)
    panes = panes_of(request.actor, saved, state)
    return JsonResponse(
        {
            "revision": saved.revision,
            "status": render_to_string("registry/_editor_status.html", {"draft": saved}, request),
            "preview": render_to_string("registry/_editor_preview.html", {"panes": panes}, request),
            "findings": render_to_string("registry/_editor_findings.html", {"panes": panes}, request),
        }
    )


def _draft(request: ProjectRequest, name: str) -> PromptDraft:
    return draft_by_name(prompt=prompt_by_name(project_id=request.project.pk, name=name), name=MAIN)


def _save(
    request: ProjectRequest, draft: PromptDraft, state: EditorState
) -> tuple[EditorState, DomainError | None]:
    """The state with what is wrong with it, and the refusal, or None when it was saved."""
    state, body, examples = state.read()
    if state.errors:
        first = next(iter(state.errors.values()))
        return state, DomainError(first, code="invalid_json", errors=[])
    try:
        save_draft(
            actor=request.actor,
            draft_id=draft.pk,
            revision=state.revision,
            body=body,
            example_inputs=examples,
        )
    except DomainError as error:
        if error.field and not isinstance(error, StaleWrite):
            state.errors[error.field] = error.detail
        return state, error
    return state, None


def _page(
    request: ProjectRequest,
    draft: PromptDraft,
    state: EditorState,
    *,
    refusal: DomainError | None = None,
    unsaved: bool = False,
) -> HttpResponse:
    context: dict[str, Any] = {
        "draft": draft,
        "prompt": draft.prompt,
        "state": state,
        "roles_of_messages": [role.value for role in Role],
        "panes": panes_of(request.actor, draft, state),
        "refusal": refusal,
        "unsaved": unsaved,
        "conflict": conflict_of(draft, state) if isinstance(refusal, StaleWrite) else None,
    }
    return render(request, "registry/prompt_editor.html", context, status=refusal.status if refusal else 200)
