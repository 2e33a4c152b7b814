"""What a feature serves in an environment now, with the content of everything that is pinned."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from promptstore.core.errors import Conflict, NotFound
from promptstore.core.selectors import environment_by_slug
from registry import documents
from releases.models import Release
from releases.routing import Arm
from releases.selectors.places import deployments
from releases.selectors.routing import routing_of


def active(*, project_id: UUID, feature: str, environment: str) -> dict[str, Any]:
    """The stable release as services consume it, and the candidate's weight beside it.

    Raises `NotFound` for an unknown feature or environment, `Conflict` (`no_active_release`) where nothing is stable yet.
    """
    place = environment_by_slug(project_id=project_id, slug=environment)
    deployment = deployments().filter(project_id=project_id, feature__slug=feature, environment=place).first()
    if deployment is None:
        raise NotFound(f"No feature “{feature[:80]}” was ever released to {environment}.", field="feature")
    rollout = routing_of(deployment)
    if deployment.stable_release is None:
        raise Conflict(
            f"Nothing is live for {feature} in {environment} yet.", code="no_active_release", status=404
        )
    return {
        "feature": feature,
        "environment": environment,
        "generation": deployment.generation,
        "arm": Arm.STABLE.value,
        **content(deployment.stable_release),
        "rollout": None
        if rollout is None
        else {
            "id": str(rollout.pk),
            "state": rollout.state,
            "weight_bp": rollout.weight_bp,
            "candidate": {"version": rollout.candidate.version, "digest": rollout.candidate.digest},
        },
    }


def content(release: Release) -> dict[str, Any]:
    """A release with its prompts, models and config by content. Raises `DigestMismatch` if any was altered."""
    found = documents.resolve(release.project_id, release.manifest, release.digest)
    return {
        "release": {"version": release.version, "digest": release.digest},
        "prompt": found["prompts"][found["primary"]],
        "prompts": found["prompts"],
        "model": _model(found["models"]["primary"]),
        "models": {role: _model(model) for role, model in found["models"].items()},
        "config": found["config"],
    }


def _model(document: dict[str, Any]) -> dict[str, Any]:
    """What a caller may know of a model: not how it is reached."""
    known = ("name", "version", "digest", "provider", "model_id", "params", "context_tokens")
    return {key: document.get(key) for key in known}
