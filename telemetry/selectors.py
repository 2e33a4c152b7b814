"""Reads of single inferences."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from promptstore.core.errors import NotFound
from telemetry.events import Status
from telemetry.models import Inference

ARMS = ("stable", "candidate", "shadow", "safe")


def inference_list(
    *,
    project_id: UUID,
    environment_id: UUID | None = None,
    feature: str = "",
    arm: str = "",
    status: str = "",
    policy_hit: bool | None = None,
    release_digest: str = "",
    rollout_id: UUID | None = None,
) -> QuerySet[Inference]:
    """A project's inferences, newest first; what is not given filters nothing."""
    found = Inference.objects.filter(project_id=project_id).select_related("environment")
    wanted = {
        "environment_id": environment_id,
        "feature": feature,
        "arm": arm if arm in ARMS else "",
        "status": status if status in frozenset(Status) else "",
        "release_digest": release_digest,
        "rollout_id": rollout_id,
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    if policy_hit is not None:
        found = found.filter(policy_hit=policy_hit)
    return found.order_by("-id")


def inference_by_id(*, project_id: UUID, inference_id: UUID) -> Inference:
    """One inference of the project; raises `NotFound`."""
    found = (
        Inference.objects.select_related("environment").filter(pk=inference_id, project_id=project_id).first()
    )
    if found is None:
        raise NotFound("There is no inference with this id in this project.", field="inference")
    return found
