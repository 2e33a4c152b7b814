"""Pages: the inferences of an environment, and one by its id."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.models import Feature
from registry.selectors.danger import danger_case_from
from telemetry.danger import add_inference_to_danger_set, source_of
from telemetry.events import Status
from telemetry.selectors import ARMS, inference_by_id, inference_list

_POLICY = {"hit": True, "none": False}


@require_safe
@project_page("inference.read")
def inference_list_page(request: ProjectRequest) -> HttpResponse:
    """`?feature= &arm= &status= &policy=hit|none &rollout= &cursor=`; unknown values filter nothing."""
    asked = request.GET
    rows = inference_list(
        project_id=request.project.pk,
        environment_id=getattr(request.environment, "pk", None),
        feature=asked.get("feature", ""),
        arm=asked.get("arm", ""),
        status=asked.get("status", ""),
        policy_hit=_POLICY.get(asked.get("policy", "")),
        rollout_id=_uuid(asked.get("rollout", "")),
    )
    return render(
        request,
        "telemetry/inference_list.html",
        {
            "page": keyset_page(rows, asked.get("cursor", "")),
            "features": Feature.objects.filter(project_id=request.project.pk).order_by("slug"),
            "arms": ARMS,
            "statuses": list(Status),
            "filtered": any(asked.get(name) for name in ("feature", "arm", "status", "policy", "rollout")),
        },
    )


@require_safe
@project_page("inference.read")
def inference_detail(request: ProjectRequest, inference_id: UUID) -> HttpResponse:
    """One inference: what was asked and answered, as text, and every version that shaped it."""
    inference = inference_by_id(project_id=request.project.pk, inference_id=inference_id)
    variables = inference.variables_redacted
    return render(
        request,
        "telemetry/inference_detail.html",
        {
            "inference": inference,
            "danger_case": danger_case_from(project_id=request.project.pk, sources=[source_of(inference.pk)]),
            "variables": None
            if variables is None
            else json.dumps(variables, indent=2, ensure_ascii=False, sort_keys=True),
            "release_url": page_url("releases:release_by_digest", inference.release_digest),
            "rollout_url": page_url("releases:rollout_detail", inference.rollout_id)
            if inference.rollout_id
            else "",
        },
    )


@require_POST
@project_page("inference.read")
def inference_danger(request: ProjectRequest, inference_id: UUID) -> HttpResponse:
    """Make the inference a case of the danger set, in one action."""
    try:
        case = add_inference_to_danger_set(
            actor=request.actor, project_id=request.project.pk, inference_id=inference_id
        )
    except DomainError as refused:
        if refused.status == 404:
            raise
        messages.error(request, refused.detail)
    else:
        messages.success(request, f"{case.key} is in the danger set.")
    return redirect("telemetry:inference_detail", inference_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
