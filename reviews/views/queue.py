"""Pages: how the queue stands, and one item for who may settle it."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import allows
from reviews import selectors, services
from reviews.rubrics import is_bad
from reviews.services.labels import MAX_TEXT
from reviews.states import REVIEW, ReviewState

_DECIDABLE = [row.source for row in REVIEW.transitions if row.action == "decide"]


@require_safe
@project_page("review.read")
def item_list_page(request: ProjectRequest) -> HttpResponse:
    """`?state= &feature= &cursor=`; how many wait, my day, how far people agree."""
    project_id, user_id = request.project.pk, request.actor.user_id
    state, feature = request.GET.get("state", ""), request.GET.get("feature", "")
    rows = selectors.item_list(
        project_id=project_id, state=state if state in frozenset(ReviewState) else "", feature=feature
    )
    questions = selectors.rubric_shown(project_id=project_id).questions
    titles = {question["id"]: question["title"] for question in questions}
    may_label = allows(request.actor, "review.label", project_id=project_id)
    page = keyset_page(rows, request.GET.get("cursor", ""))
    return render(
        request,
        "reviews/item_list.html",
        {
            "page": page,
            "bad": {row.pk for row in page.rows if row.verdict and is_bad(row.verdict)},
            "may_add": allows(request.actor, "dataset.edit", project_id=project_id),
            "counts": selectors.queue_counts(project_id=project_id),
            "day": selectors.day_of(project_id=project_id, user_id=user_id)
            if user_id and may_label
            else None,
            "agreement": [
                (titles[row.question], row)
                for row in selectors.agreement(project_id=project_id, questions=list(titles))
            ],
            "may_settle": allows(request.actor, "review.settle", project_id=project_id),
            "state": state,
            "feature": feature,
            "states": [one.value for one in ReviewState],
        },
    )


@require_safe
@project_page("review.settle")
def item_detail_page(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """One item with its labels, once nobody is asked any more, and the form that decides it."""
    return _detail(request, item_id)


@require_POST
@project_page("review.settle")
def settle(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """Decide the item; a refusal comes back on its page."""
    questions = selectors.rubric_shown(project_id=request.project.pk).questions
    answers = {question["id"]: request.POST.get(question["id"], "") for question in questions}
    try:
        services.settle_item(
            actor=request.actor,
            project_id=request.project.pk,
            item_id=item_id,
            answers=answers,
            reason=request.POST.get("reason", ""),
        )
    except DomainError as refused:
        if refused.status == 404:
            raise
        return _detail(request, item_id, refused=refused)
    messages.success(request, "Settled.")
    return HttpResponseRedirect(reverse("reviews:item_detail", args=[item_id]))


@require_POST
@project_page("review.settle")
def danger(request: ProjectRequest, item_id: UUID) -> HttpResponse:
    """Make the item a case of the danger set, and stay where it was asked for."""
    try:
        case = services.add_item_to_danger_set(
            actor=request.actor, project_id=request.project.pk, item_id=item_id
        )
    except DomainError as refused:
        if refused.status == 404:
            raise
        messages.error(request, refused.detail)
    else:
        messages.success(request, f"{case.key} is in the danger set.")
    return HttpResponseRedirect(reverse("reviews:item_detail", args=[item_id]))


def _detail(request: ProjectRequest, item_id: UUID, refused: DomainError | None = None) -> HttpResponse:
    project_id = request.project.pk
    item = selectors.item_by_id(project_id=project_id, item_id=item_id)
    rubric = selectors.rubric_shown(project_id=project_id)
    return render(
        request,
        "reviews/item_detail.html",
        {
            "item": item,
            "variables": json.dumps(item.variables, ensure_ascii=False, indent=2) if item.variables else "",
            "labels": selectors.labels_of(item),
            "decidable": item.state in _DECIDABLE,
            "closed": item.state in selectors.CLOSED,
            "danger_case": selectors.danger_case_of(item),
            "rubric": rubric,
            "refused": refused,
            "max_text": MAX_TEXT,
        },
        status=refused.status if refused else 200,
    )
