"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from reviews.api import reviews

_PROJECT = "projects/<slug:project>"
_ALL = f"{_PROJECT}/reviews"
_ONE = f"{_ALL}/<uuid:item_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_ALL}/", reviews.ReviewItemsView.as_view()),
    path(f"{_ALL}/summary/", reviews.ReviewSummaryView.as_view()),
    path(f"{_ALL}/claim/", reviews.ReviewClaimView.as_view()),
    path(f"{_ONE}/", reviews.ReviewItemView.as_view()),
    path(f"{_ONE}/heartbeat/", reviews.ReviewHeartbeatView.as_view()),
    path(f"{_ONE}/label/", reviews.ReviewLabelView.as_view()),
    path(f"{_ONE}/skip/", reviews.ReviewSkipView.as_view()),
    path(f"{_ONE}/escalate/", reviews.ReviewEscalateView.as_view()),
    path(f"{_ONE}/settle/", reviews.ReviewSettleView.as_view()),
    path(f"{_PROJECT}/rollouts/<uuid:rollout_id>/labels/", reviews.RolloutLabelsView.as_view()),
]
