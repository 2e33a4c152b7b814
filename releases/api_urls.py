"""Paths below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.api import bundles, deployments, pairs, policies, promotions, releases, rollouts

_PROJECT = "projects/<slug:project>"
_PROMOTION = f"{_PROJECT}/promotions/<uuid:promotion_id>"
_ROLLOUT = f"{_PROJECT}/rollouts/<uuid:rollout_id>"

urlpatterns: list[URLPattern] = [
    path(f"{_PROJECT}/releases/", releases.ReleasesView.as_view()),
    path(f"{_PROJECT}/releases/<str:reference>/", releases.ReleaseView.as_view()),
    path(f"{_PROJECT}/releases/<str:reference>/bundle/", bundles.BundleView.as_view()),
    path(f"{_PROJECT}/environments/", policies.EnvironmentsView.as_view()),
    path(f"{_PROJECT}/environments/<slug:environment>/policy/", policies.PolicyView.as_view()),
    path(f"{_PROJECT}/promotions/", promotions.PromotionsView.as_view()),
    path(f"{_PROMOTION}/", promotions.PromotionView.as_view()),
    path(f"{_PROMOTION}/approve/", promotions.ApproveView.as_view()),
    path(f"{_PROMOTION}/reject/", promotions.RejectView.as_view()),
    path(f"{_PROMOTION}/cancel/", promotions.CancelView.as_view()),
    path(f"{_PROMOTION}/recheck/", promotions.RecheckView.as_view()),
    path(f"{_PROMOTION}/plan/", promotions.PlanView.as_view()),
    path(f"{_PROJECT}/rollouts/", rollouts.RolloutsView.as_view()),
    path(f"{_ROLLOUT}/", rollouts.RolloutView.as_view()),
    path(f"{_ROLLOUT}/pairs/", pairs.PairsView.as_view()),
    path(f"{_ROLLOUT}/pause/", rollouts.PauseView.as_view()),
    path(f"{_ROLLOUT}/resume/", rollouts.ResumeView.as_view()),
    path(f"{_ROLLOUT}/advance/", rollouts.AdvanceView.as_view()),
    path(f"{_ROLLOUT}/roll_back/", rollouts.RollBackView.as_view()),
    path(f"{_PROJECT}/deployments/", deployments.DeploymentsView.as_view()),
    path(f"{_PROJECT}/deployments/<uuid:deployment_id>/return/", deployments.ReturnView.as_view()),
    path(f"{_PROJECT}/features/<str:feature>/active/", deployments.ActiveView.as_view()),
]
