"""Finding what a request names, within one project."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from promptstore.core.errors import InvalidInput, NotFound
from promptstore.core.models import TenantModel
from releases.models import Deployment, Promotion, Release, Rollout

Row = TypeVar("Row", bound=TenantModel)


def find_release(*, project_id: UUID, reference: str, feature: str = "") -> Release:
    """A release by its digest, or by its version within a feature.

    Raises `NotFound`, and `InvalidInput` for a version that several features have when none is named.
    """
    rows = _releases().filter(project_id=project_id)
    if feature:
        rows = rows.filter(feature__slug=feature)
    key = "digest" if reference.startswith("sha256:") else "version"
    found = list(rows.filter(**{key: reference})[:2])
    if len(found) > 1:
        raise InvalidInput(
            f"Several features have a release {reference}. Name one: ?feature=…", field="feature"
        )
    if not found:
        raise NotFound(f"This project has no release {reference[:80]}.", field="release")
    return found[0]


def release_by_id(*, project_id: UUID, release_id: UUID) -> Release:
    """A release of the project; raises `NotFound`."""
    return _one(_releases(), project_id, release_id, "release")


def promotion_by_id(*, project_id: UUID, promotion_id: UUID) -> Promotion:
    """A promotion of the project with all that a page shows of it; raises `NotFound`."""
    return _one(promotions(), project_id, promotion_id, "promotion")


def rollout_by_id(*, project_id: UUID, rollout_id: UUID) -> Rollout:
    """A rollout of the project with all that a page shows of it; raises `NotFound`."""
    return _one(rollouts(), project_id, rollout_id, "rollout")


def deployment_by_id(*, project_id: UUID, deployment_id: UUID) -> Deployment:
    """A deployment of the project; raises `NotFound`."""
    return _one(deployments(), project_id, deployment_id, "deployment")


def promotions() -> QuerySet[Promotion]:
    """Promotions with their release, place, policy and people."""
    return Promotion.objects.select_related(
        "release__feature",
        "base_release",
        "deployment__environment",
        "deployment__feature",
        "policy__environment",
        "requested_by",
        "rollout",
    )


def rollouts() -> QuerySet[Rollout]:
    """Rollouts with their releases, place and the policy they were approved with."""
    return Rollout.objects.select_related(
        "promotion__policy__environment",
        "deployment__environment",
        "deployment__feature",
        "candidate__feature",
        "baseline__feature",
    )


def deployments() -> QuerySet[Deployment]:
    """Deployments with feature, environment and what is stable there."""
    return Deployment.objects.select_related("feature", "environment", "stable_release__feature")


def _releases() -> QuerySet[Release]:
    return Release.objects.select_related("feature", "composed_by")


def _one(rows: QuerySet[Row], project_id: UUID, row_id: UUID, noun: str) -> Row:
    row = rows.filter(pk=row_id, project_id=project_id).first()
    if row is None:
        raise NotFound(f"There is no such {noun} in this project.", field=noun)
    return row
