from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import condition, require_POST, require_safe

from promptstore.core.errors import NotFound
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.links import page_url
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.selectors import environment_by_slug
from registry.models import Feature
from releases import services
from releases.forms import posted_json, posted_text
from releases.models import Promotion
from releases.selectors import promotions as selectors
from releases.selectors.differences import compare
from releases.selectors.places import promotion_by_id
from releases.selectors.policy_history import environments, pretty
from releases.states import PROMOTION, PromotionState

STOP_POLLING = 286


@project_page()
@require_safe
def promotion_list(request: ProjectRequest) -> HttpResponse:
    """Promotions newest first, by state, environment and feature."""
    wanted = {name: request.GET.get(name, "") for name in ("state", "environment", "feature")}
    rows = selectors.promotion_list(project_id=request.project.pk, **wanted)
    context = {
        "page": keyset_page(rows, request.GET.get("cursor", "")),
        "wanted": wanted,
        "states": [(state.value, state.value.replace("_", " ").capitalize()) for state in PromotionState],
        "environments": environments(request.project.pk),
        "features": Feature.objects.filter(project_id=request.project.pk).order_by("slug"),
    }
    return render(request, "releases/promotion_list.html", context)


@project_page()
@require_safe
def promotion_detail(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Whose turn it is, gates, votes and plan, and every text that changes."""
    promotion = _found(request, promotion_id)
    context = _context(request, promotion) | {
        "difference": compare(request.project.pk, promotion.base_release, promotion.release.manifest),
    }
    return render(request, "releases/promotion_detail.html", context)


def _etag(request: ProjectRequest, promotion_id: UUID) -> str:
    return selectors.promotion_etag(request.actor, _found(request, promotion_id))


@project_page()
@require_safe
@condition(etag_func=_etag)
def promotion_live(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Gates, votes and turn, as they are now."""
    return _fragment(request, promotion_id, "releases/_promotion_live.html")


@project_page()
@require_safe
@condition(etag_func=_etag)
def promotion_decide(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """The forms that this person may use now; a region of their own, so that the rest moves while somebody writes."""
    return _fragment(request, promotion_id, "releases/_promotion_decide.html")


@project_page()
@require_POST
def promotion_request(request: ProjectRequest) -> HttpResponse:
    """Ask to bring a release to an environment."""
    environment = environment_by_slug(project_id=request.project.pk, slug=request.POST.get("environment", ""))
    promotion = services.request_promotion(
        actor=request.actor,
        project_id=request.project.pk,
        release_id=_uuid(request, "release"),
        environment_id=environment.pk,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, f"Requested. Its checks for {environment.slug} have begun.")
    return redirect("releases:promotion_detail", promotion_id=promotion.pk)


@project_page()
@require_POST
def promotion_approve(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Vote for exactly what the page showed."""
    promotion = services.approve_promotion(
        actor=request.actor,
        project_id=request.project.pk,
        promotion_id=promotion_id,
        release_digest=request.POST.get("release_digest", ""),
        evidence_digest=request.POST.get("evidence_digest", ""),
        comment=posted_text(request, "comment"),
    )
    counted = promotion.state == PromotionState.APPROVED
    messages.success(request, "Approved: it starts by itself." if counted else "Your approval counts.")
    return redirect("releases:promotion_detail", promotion_id=promotion_id)


@project_page()
@require_POST
def promotion_reject(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Refuse it."""
    services.reject_promotion(
        actor=request.actor,
        project_id=request.project.pk,
        promotion_id=promotion_id,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "Rejected. Nothing was released.")
    return redirect("releases:promotion_detail", promotion_id=promotion_id)


@project_page()
@require_POST
def promotion_cancel(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Call it off."""
    services.cancel_promotion(
        actor=request.actor,
        project_id=request.project.pk,
        promotion_id=promotion_id,
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "Cancelled. Nothing was released.")
    return redirect("releases:promotion_detail", promotion_id=promotion_id)


@project_page()
@require_POST
def promotion_recheck(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Run the gates again."""
    services.recheck_promotion(actor=request.actor, project_id=request.project.pk, promotion_id=promotion_id)
    messages.success(request, "The checks run again. Approvals for the old results no longer count.")
    return redirect("releases:promotion_detail", promotion_id=promotion_id)


@project_page()
@require_POST
def promotion_plan(request: ProjectRequest, promotion_id: UUID) -> HttpResponse:
    """Replace the plan before it starts."""
    services.change_plan(
        actor=request.actor,
        project_id=request.project.pk,
        promotion_id=promotion_id,
        plan=posted_json(request.POST.get("plan", ""), field="plan"),
        reason=posted_text(request, "reason"),
    )
    messages.success(request, "The plan is changed. Approvals for the old one no longer count.")
    return redirect("releases:promotion_detail", promotion_id=promotion_id)


def _found(request: ProjectRequest, promotion_id: UUID) -> Promotion:
    return promotion_by_id(project_id=request.project.pk, promotion_id=promotion_id)


def _fragment(request: ProjectRequest, promotion_id: UUID, template: str) -> HttpResponse:
    promotion = _found(request, promotion_id)
    ended = promotion.state in PROMOTION.final_states
    return render(request, template, _context(request, promotion), status=STOP_POLLING if ended else 200)


def _context(request: ProjectRequest, promotion: Promotion) -> dict[str, Any]:
    view = selectors.promotion_view(request.actor, promotion)
    return {
        "view": view,
        "promotion": promotion,
        "release": promotion.release,
        "gates": [
            (gate, page_url("evals:report", gate.digest) if gate.digest else "") for gate in view.gates
        ],
        "plan_text": pretty(promotion.plan),
        "is_live": promotion.state not in PROMOTION.final_states,
        "live_url": reverse("releases:promotion_live", args=[promotion.pk]),
        "decide_url": reverse("releases:promotion_decide", args=[promotion.pk]),
    }


def _uuid(request: ProjectRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound(f"There is no such {name} in this project.", field=name) from None
