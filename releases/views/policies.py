from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from promptstore.core.errors import DomainError, InvalidInput, StaleWrite
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import Environment
from promptstore.core.selectors import environment_by_slug
from releases import services
from releases.forms import PolicyForm, add_error, posted_json
from releases.plans import SHADOW_EXAMPLE, lacks_shadow
from releases.selectors.people import listed
from releases.selectors.policy_history import PolicyView, environments, policy_versions, policy_view, pretty


@project_page()
@require_http_methods(["GET", "HEAD", "POST"])
def environment_policy(request: ProjectRequest, environment: str) -> HttpResponse:
    """A policy in words, its versions, and the form that puts a new one in force."""
    place = environment_by_slug(project_id=request.project.pk, slug=environment)
    form = PolicyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _change(request, place, form):
        messages.success(
            request, f"The policy of {place.slug} is in force. Open promotions are checked anew."
        )
        return redirect("releases:environment_policy", environment=place.slug)
    # Read after the attempt: where somebody was faster, the page shows theirs.
    rows = policy_versions(place)
    number = request.GET.get("version", "")
    view = policy_view(
        rows, int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None
    )
    in_force = policy_view(rows)
    if not form.is_bound:
        form = _form(in_force)
    overtaken = form.has_error("number", code=StaleWrite.code)
    if overtaken:
        # The person sees both texts now; saving again is a decision about this version.
        posted = request.POST.copy()
        posted["number"] = str(rows[0].number if rows else 0)
        form.data = posted
    context = {
        "place": place,
        "all_environments": environments(request.project.pk),
        "view": view,
        "lacks_shadow": _lacks_shadow(place, in_force),
        "shadow_example": SHADOW_EXAMPLE,
        "is_in_force": view is None or (in_force is not None and view.row.pk == in_force.row.pk),
        "roles_text": listed(sorted(role.value for role in view.policy.approver_roles), "or") if view else "",
        "versions": rows,
        "form": form,
        "theirs": in_force if overtaken else None,
        "mine_text": pretty(posted_json(form.cleaned_data["body"], field="body")) if overtaken else "",
        "editing": "edit" in request.GET or form.is_bound,
    }
    return render(request, "releases/environment_policy.html", context, status=422 if form.is_bound else 200)


def _lacks_shadow(place: Environment, in_force: PolicyView | None) -> bool:
    """Whether the policy is from before shadow steps, so that nothing new can be promoted under it."""
    plan = in_force.policy.plan if in_force else None
    return plan is not None and lacks_shadow(plan, place.kind)


def _form(in_force: PolicyView | None) -> PolicyForm:
    if in_force is None:
        return PolicyForm(initial={"number": 0})
    return PolicyForm(initial={"body": in_force.text, "number": in_force.row.number})


def _change(request: ProjectRequest, place: Environment, form: PolicyForm) -> bool:
    try:
        services.change_policy(
            actor=request.actor,
            project_id=request.project.pk,
            environment_id=place.pk,
            body=_object(posted_json(form.cleaned_data["body"], field="body")),
            reason=form.cleaned_data["reason"],
            expected_number=form.cleaned_data["number"],
        )
    except StaleWrite as error:
        form.add_error("number", ValidationError(error.detail, code=error.code))
        return False
    except DomainError as error:
        add_error(form, error, fallback="body")
        return False
    return True


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("A policy is a JSON object.", field="body")
    return value
