"""One feature in one environment: what is stable, what was, and where one may return to at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from releases.models import Deployment, LivePeriod, Promotion, Release, Rollout
from releases.models.rollouts import LIVE
from releases.selectors.places import deployments, promotions, rollouts


@dataclass(frozen=True)
class DeploymentView:
    """`returnable` are the releases that were live here before, latest first, without the stable one."""

    deployment: Deployment
    rollout: Rollout | None
    periods: tuple[LivePeriod, ...]
    returnable: tuple[Release, ...]
    promotions: tuple[Promotion, ...]
    rollouts: tuple[Rollout, ...]


def deployment_list(*, project_id: UUID, environment: str = "", feature: str = "") -> QuerySet[Deployment]:
    """A project's deployments; empty filters filter nothing."""
    rows = deployments().filter(project_id=project_id)
    if environment:
        rows = rows.filter(environment__slug=environment)
    return rows.filter(feature__slug=feature) if feature else rows


def deployment_view(deployment: Deployment) -> DeploymentView:
    """A deployment (from `places.deployments`) with its history; the latest 50 of each kind."""
    periods = list(
        LivePeriod.objects.filter(deployment=deployment)
        .select_related("release__feature")
        .order_by("-id")[:50]
    )
    past = list(rollouts().filter(deployment=deployment).order_by("-id")[:50])
    return DeploymentView(
        deployment=deployment,
        rollout=next((row for row in past if row.state in LIVE), None),
        periods=tuple(periods),
        returnable=tuple(_returnable(deployment, periods)),
        promotions=tuple(promotions().filter(deployment=deployment).order_by("-id")[:50]),
        rollouts=tuple(past),
    )


def _returnable(deployment: Deployment, periods: Sequence[LivePeriod]) -> list[Release]:
    found = {period.release_id: period.release for period in periods}
    return [release for release in found.values() if release.pk != deployment.stable_release_id]
