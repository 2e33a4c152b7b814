"""Where prompts and models are used: in which features' live releases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from promptstore.console.inventory.points import pins_of
from releases.models import Deployment


@dataclass(frozen=True)
class Use:
    """A version that answers now: of which feature, where, and as which model role (empty for a prompt)."""

    feature: str
    environment: str
    version: str
    role: str
    deployment_id: UUID


Uses = dict[str, list[Use]]


def uses_of(project_id: UUID) -> tuple[Uses, Uses]:
    """Prompt name → uses, and model name → uses, in one query."""
    prompts: defaultdict[str, list[Use]] = defaultdict(list)
    models: defaultdict[str, list[Use]] = defaultdict(list)
    live = (
        Deployment.objects.filter(project_id=project_id, stable_release__isnull=False)
        .select_related("feature", "environment", "stable_release")
        .order_by("feature__slug", "environment__position")
    )
    for row in live:
        for found, pins in zip((prompts, models), pins_of(row.stable_release), strict=True):
            for pin in pins:
                use = Use(row.feature.slug, row.environment.slug, pin.version, pin.role, row.pk)
                found[pin.name].append(use)
    return dict(prompts), dict(models)
