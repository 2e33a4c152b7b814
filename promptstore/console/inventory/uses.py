"""Where prompts and models are used: in which features' live releases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from promptstore.console.inventory.points import Point, points


@dataclass(frozen=True)
class Use:
    """A version that answers now: of which feature, where, and as which model role (empty for a prompt)."""

    feature: str
    environment: str
    version: str
    role: str
    deployment_id: UUID | None


Uses = dict[str, list[Use]]


def uses_of(project_id: UUID) -> tuple[Uses, Uses]:
    """Prompt name → uses, and model name → uses."""
    return gathered(points(project_id=project_id))


def gathered(found: Sequence[Point]) -> tuple[Uses, Uses]:
    """The uses that these points make of prompts and of models."""
    prompts: defaultdict[str, list[Use]] = defaultdict(list)
    models: defaultdict[str, list[Use]] = defaultdict(list)
    for point in found:
        for kind, pins in ((prompts, point.prompts), (models, point.models)):
            for pin in pins:
                kind[pin.name].append(
                    Use(point.feature, point.environment, pin.version, pin.role, point.deployment_id)
                )
    return dict(prompts), dict(models)
