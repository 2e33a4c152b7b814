from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from promptstore.core.errors import DomainError, InvalidInput
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import Environment
from promptstore.core.selectors import environment_by_slug
from releases import services
from releases.forms import PolicyForm, add_error, posted_json
from releases.selectors.people import listed
from releases.selectors.policy_history import PolicyView, environments, policy_versions, policy_view


@project_page()
@require_http_methods(["GET", "HEAD", "POST"])
def environment_policy(request: ProjectRequest, environment: str) -> HttpResponse:
    """A policy in words, its versions, and the form that puts a new one in force."""
    place = environment_by_slug(project_id=request.project.pk, slug=environment)
    rows = policy_versions(place)
    number = request.GET.get("version", "")
    view = policy_view(
        rows, int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None
    )
    in_force = policy_view(rows)
    form = _form(request, in_force)
    if request.method == "POST" and form.is_valid() and _change(request, place, form):
        messages.success(
            request, f"The policy of {place.slug} is in force. Open promotions are checked anew."
        )
        return redirect("releases:environment_policy", environment=place.slug)
    context = {
        "place": place,
        "all_environments": environments(request.project.pk),
        "view": view,
        "is_in_force": view is None or (in_force is not None and view.row.pk == in_force.row.pk),
        "roles_text": listed(sorted(role.value for role in view.policy.approver_roles), "or") if view else "",
        "versions": rows,
        "form": form,
        "editing": "edit" in request.GET or form.is_bound,
    }
    return render(request, "releases/environment_policy.html", context, status=422 if form.is_bound else 200)


def _form(request: ProjectRequest, in_force: PolicyView | None) -> PolicyForm:
    if request.method == "POST":
        return PolicyForm(request.POST)
    return PolicyForm(initial={"body": in_force.text if in_force else ""})


def _change(request: ProjectRequest, place: Environment, form: PolicyForm) -> bool:
    try:
        services.change_policy(
            actor=request.actor,
            project_id=request.project.pk,
            environment_id=place.pk,
            body=_object(posted_json(form.cleaned_data["body"], field="body")),
            reason=form.cleaned_data["reason"],
        )
    except DomainError as error:
        add_error(form, error, fallback="body")
        return False
    return True


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("A policy is a JSON object.", field="body")
    return value
