"""Row locks, always in one order: deployment, then promotion, then rollout. That order is what rules out deadlocks."""

from __future__ import annotations

from uuid import UUID

from promptstore.core.errors import NotFound
from releases.models import Deployment, Promotion, Rollout


def lock_deployment(deployment_id: UUID) -> Deployment:
    """The deployment's row, locked until the transaction ends. Its feature and environment come along unlocked."""
    return (
        Deployment.objects.select_related("feature", "environment", "stable_release")
        .select_for_update(of=("self",))
        .get(pk=deployment_id)
    )


def lock_promotion(*, promotion_id: UUID, project_id: UUID | None = None) -> Promotion:
    """A promotion under its deployment's lock; raises `NotFound` also for another project's."""
    found = Promotion.objects.filter(pk=promotion_id)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    row = found.values("deployment_id").first()
    if row is None:
        raise NotFound("There is no such promotion in this project.", field="promotion")
    deployment = lock_deployment(row["deployment_id"])
    promotion = (
        Promotion.objects.select_related("release", "base_release", "policy")
        .select_for_update(of=("self",))
        .get(pk=promotion_id)
    )
    promotion.deployment = deployment
    return promotion


def lock_rollout(*, rollout_id: UUID, project_id: UUID | None = None) -> Rollout:
    """A rollout under its deployment's lock; raises `NotFound` also for another project's."""
    found = Rollout.objects.filter(pk=rollout_id)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    row = found.values("deployment_id").first()
    if row is None:
        raise NotFound("There is no such rollout in this project.", field="rollout")
    deployment = lock_deployment(row["deployment_id"])
    rollout = (
        Rollout.objects.select_related("promotion__policy", "candidate", "baseline")
        .select_for_update(of=("self",))
        .get(pk=rollout_id)
    )
    rollout.deployment = deployment
    return rollout
