"""Incidents to test with."""

from __future__ import annotations

from typing import Any

from incidents.models import Incident
from incidents.services import open_incident
from promptstore.core.actors import system
from promptstore.core.ids import uuid7
from registry.models import Feature
from tests.cast import Cast


def feature_of(cast: Cast, slug: str = "config-assistant") -> Feature:
    return Feature.objects.get_or_create(project=cast.project, slug=slug, defaults={"name": slug})[0]


def opened(cast: Cast, **changes: Any) -> Incident:
    """An incident in production, opened by the controller."""
    fields: dict[str, Any] = {
        "actor": system("controller"),
        "project_id": cast.project.pk,
        "environment_id": cast.production.pk,
        "feature_id": feature_of(cast).pk,
        "title": "config-assistant 1.1.0 is rolled back in production",
        "summary": "Policy hits are at 4 %, above the limit of 0.5 %.",
        "severity": "P1",
        "dedup_key": "rollout-1",
        "rollout_id": uuid7(),
        "release_digest": "sha256:" + "b" * 64,
        "evidence": {},
        **changes,
    }
    return open_incident(**fields)
