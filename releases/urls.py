"""Pages of releases, promotions, rollouts, deployments and policies."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.views import compose, deployments, pairs, policies, promotions, releases, rollouts

app_name = "releases"

_PROMOTION = "releases/promotions/<uuid:promotion_id>"
_ROLLOUT = "releases/rollouts/<uuid:rollout_id>"
_DEPLOYMENT = "releases/deployments/<uuid:deployment_id>"

urlpatterns: list[URLPattern] = [
    path("releases/", releases.release_list, name="release_list"),
    path("releases/compose/", compose.release_compose, name="release_compose"),
    path("releases/by-digest/<str:digest>/", releases.release_by_digest, name="release_by_digest"),
    path("releases/promotions/", promotions.promotion_list, name="promotion_list"),
    path("releases/promotions/request/", promotions.promotion_request, name="promotion_request"),
    path(f"{_PROMOTION}/", promotions.promotion_detail, name="promotion_detail"),
    path(f"{_PROMOTION}/live/", promotions.promotion_live, name="promotion_live"),
    path(f"{_PROMOTION}/decide/", promotions.promotion_decide, name="promotion_decide"),
    path(f"{_PROMOTION}/approve/", promotions.promotion_approve, name="promotion_approve"),
    path(f"{_PROMOTION}/reject/", promotions.promotion_reject, name="promotion_reject"),
    path(f"{_PROMOTION}/cancel/", promotions.promotion_cancel, name="promotion_cancel"),
    path(f"{_PROMOTION}/recheck/", promotions.promotion_recheck, name="promotion_recheck"),
    path(f"{_PROMOTION}/plan/", promotions.promotion_plan, name="promotion_plan"),
    path(f"{_ROLLOUT}/", rollouts.rollout_detail, name="rollout_detail"),
    path(f"{_ROLLOUT}/live/", rollouts.rollout_live, name="rollout_live"),
    path(f"{_ROLLOUT}/actions/", rollouts.rollout_actions, name="rollout_actions"),
    path(f"{_ROLLOUT}/pairs/", pairs.rollout_pairs, name="rollout_pairs"),
    path(f"{_ROLLOUT}/pause/", rollouts.rollout_pause, name="rollout_pause"),
    path(f"{_ROLLOUT}/resume/", rollouts.rollout_resume, name="rollout_resume"),
    path(f"{_ROLLOUT}/advance/", rollouts.rollout_advance, name="rollout_advance"),
    path(f"{_ROLLOUT}/roll-back/", rollouts.rollout_roll_back, name="rollout_roll_back"),
    path(f"{_DEPLOYMENT}/", deployments.deployment_detail, name="deployment_detail"),
    path(f"{_DEPLOYMENT}/return/", deployments.deployment_return, name="deployment_return"),
    path(
        "releases/environments/<slug:environment>/policy/",
        policies.environment_policy,
        name="environment_policy",
    ),
    path("releases/<uuid:release_id>/", releases.release_detail, name="release_detail"),
    path("releases/<uuid:release_id>/bundle/", releases.release_bundle, name="release_bundle"),
]
