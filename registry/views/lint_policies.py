from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from promptstore.core.errors import DomainError
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal
from registry.forms.prompts import LintPolicyForm
from registry.rendering.lint import RULES
from registry.selectors.lint_policies import lint_policy
from registry.services.lint_policies import set_lint_policy


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def lint_policy_edit(request: ProjectRequest) -> HttpResponse:
    """The rules that always hold, and the project's own."""
    policy = lint_policy(project_id=request.project.pk)
    initial = {
        "revision": policy.revision if policy else 0,
        "token_budget": policy.token_budget if policy else None,
        "banned_topics": "\n".join(policy.banned_topics) if policy else "",
    }
    form = LintPolicyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            set_lint_policy(
                actor=request.actor,
                project_id=request.project.pk,
                revision=form.cleaned_data["revision"],
                token_budget=form.cleaned_data["token_budget"],
                banned_topics=form.topics(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "The rules hold from now on. Published versions stay as they are.")
            return redirect("registry:lint_policy")
    context = {"form": form, "policy": policy, "rules": RULES}
    return render(request, "registry/lint_policy.html", context, status=422 if form.errors else 200)
