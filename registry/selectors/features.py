from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from promptstore.core.errors import NotFound
from registry.models import Feature, FeatureApprover


def features(*, project_id: UUID) -> QuerySet[Feature]:
    """A project's features, newest first, with owner and appointed approvers."""
    return (
        Feature.objects.filter(project_id=project_id)
        .select_related("owner")
        .prefetch_related(
            Prefetch("appointed_approvers", FeatureApprover.objects.select_related("user").order_by("id"))
        )
        .order_by("-id")
    )


def feature_by_slug(*, project_id: UUID, slug: str) -> Feature:
    """Raises `NotFound`."""
    feature = features(project_id=project_id).filter(slug=slug).first()
    if feature is None:
        raise NotFound(f"This project has no feature “{slug[:80]}”.", field="feature")
    return feature


def is_appointed(*, feature_id: UUID, user_id: UUID) -> bool:
    """Whether a person was appointed to approve this feature's releases."""
    return FeatureApprover.objects.filter(feature_id=feature_id, user_id=user_id).exists()
