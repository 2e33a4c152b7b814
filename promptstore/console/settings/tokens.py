from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from promptstore.console.settings.forms import TokenForm
from promptstore.console.settings.listing import sorted_out
from promptstore.console.settings.once import show_secret, was_sent
from promptstore.core import keys
from promptstore.core.errors import DomainError
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal


@require_safe
@project_page()
def token_list(request: ProjectRequest) -> HttpResponse:
    """The personal tokens of whoever looks, in this project."""
    rows = keys.personal_tokens(user_id=request.actor.user_id, project_id=request.project.pk)
    return render(request, "console/settings/token_list.html", {"keys": sorted_out(rows)})


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def token_create(request: ProjectRequest) -> HttpResponse:
    """Name a token, then see its secret once."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form_id = form.cleaned_data["form_id"]
        if was_sent(request, form_id):
            return redirect("console:settings")
        try:
            key, secret = keys.create_personal_token(
                actor=request.actor,
                project_id=request.project.pk,
                name=form.cleaned_data["name"],
                expires_at=form.expires_at(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            back_url = reverse("console:settings")
            return show_secret(request, key=key, secret=secret, form_id=form_id, back_url=back_url)
    return render(
        request, "console/settings/token_create.html", {"form": form}, status=422 if form.errors else 200
    )
