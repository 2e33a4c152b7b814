"""The page on which people judge one answer after the other. What it shows comes from a `Claim`, which knows no arm."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from promptstore.core.errors import InvalidInput
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from reviews import selectors, services
from reviews.claims import claim_of
from reviews.errors import AlreadyLabelled, LeaseLost
from reviews.rubrics import fine_answers
from reviews.services.labels import MAX_TEXT
from reviews.states import SkipReason

_SKIP_WORDS = {
    SkipReason.NOT_MY_SUBJECT: "Not my subject",
    SkipReason.UNREADABLE: "I cannot read it",
    SkipReason.CONFLICT: "I am involved",
    SkipReason.OTHER: "Something else",
}


@require_safe
@never_cache
@project_page("review.label")
def next_page(request: ProjectRequest) -> HttpResponse:
    """The item that this person holds; without one, a button that claims the next."""
    return _page(request)


@require_POST
@project_page("review.label")
def claim(request: ProjectRequest) -> HttpResponse:
    """Claim the next item."""
    services.claim_next(actor=request.actor, project_id=request.project.pk)
    return _go_on()


@require_POST
@project_page("review.label")
def label(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """Store the posted answers, or with `fine` that nothing is wrong, and go on.

    What is missing comes back on the page; nothing typed is lost.
    """
    rubric = selectors.rubric_shown(project_id=request.project.pk)
    answers = (fine_answers(rubric.body) if "fine" in request.POST else None) or {
        question["id"]: request.POST[question["id"]]
        for question in rubric.questions
        if question["id"] in request.POST
    }
    try:
        services.submit_label(
            actor=request.actor,
            project_id=request.project.pk,
            item_id=item_id,
            fence=_number(request, "fence"),
            rubric=_number(request, "rubric"),
            answers=answers,
            comment=request.POST.get("comment", ""),
            claim_another=True,
        )
    except InvalidInput as refused:
        return _page(request, refused=refused, answers=answers)
    except (LeaseLost, AlreadyLabelled) as refused:
        messages.error(request, refused.detail)
    return _go_on()


@require_POST
@project_page("review.label")
def skip(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """Pass the item on and go on."""
    try:
        services.skip_item(
            actor=request.actor,
            project_id=request.project.pk,
            item_id=item_id,
            fence=_number(request, "fence"),
            reason=request.POST.get("reason", SkipReason.NOT_MY_SUBJECT),
            claim_another=True,
        )
    except LeaseLost as refused:
        messages.error(request, refused.detail)
    return _go_on()


@require_POST
@project_page("review.label")
def escalate(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """Hand the item to who may settle, and go on."""
    try:
        services.escalate_item(
            actor=request.actor,
            project_id=request.project.pk,
            item_id=item_id,
            fence=_number(request, "fence"),
            reason=request.POST.get("reason", ""),
            claim_another=True,
        )
    except InvalidInput as refused:
        return _page(request, refused=refused)
    except LeaseLost as refused:
        messages.error(request, refused.detail)
    return _go_on()


@require_POST
@project_page("review.label")
def heartbeat(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """For the page's script: extend the lease, answer until when."""
    try:
        until = services.heartbeat(
            actor=request.actor,
            project_id=request.project.pk,
            item_id=item_id,
            fence=_number(request, "fence"),
        )
    except LeaseLost as refused:
        return JsonResponse({"code": refused.code, "detail": refused.detail}, status=refused.status)
    return JsonResponse({"expires_at": until.isoformat(timespec="seconds") if until else None})


def _page(
    request: ProjectRequest, *, refused: InvalidInput | None = None, answers: dict[str, str] | None = None
) -> HttpResponse:
    project_id = request.project.pk
    user_id = request.actor.user_id
    held = selectors.held_by(project_id=project_id, user_id=user_id) if user_id else None
    held_claim = claim_of(held, selectors.rubric_shown(project_id=project_id)) if held else None
    context = {
        "claim": held_claim,
        "variables": json.dumps(held_claim.variables, ensure_ascii=False, indent=2)
        if held_claim and held_claim.variables
        else "",
        "fine": fine_answers(held_claim.rubric.body) if held_claim else None,
        "day": selectors.day_of(project_id=project_id, user_id=user_id) if user_id else None,
        "skip_reasons": [(reason.value, words) for reason, words in _SKIP_WORDS.items()],
        "max_text": MAX_TEXT,
        "refused": refused,
        "chosen": list((answers or {}).values()),
        "comment": request.POST.get("comment", ""),
    }
    return render(request, "reviews/next.html", context, status=400 if refused else 200)


def _go_on() -> HttpResponse:
    return HttpResponseRedirect(reverse("reviews:next"))


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("Reload the page and try again.", field=name)
    return int(text)
