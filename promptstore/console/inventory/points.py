"""Points of inference: every feature in every environment, with what answers there and who may call it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from promptstore.console.inventory.calls import Calls, calls_of
from promptstore.core import clock
from promptstore.core.models import ApiKey, Environment
from registry.models import Feature
from releases.models import Deployment, Release

# A bound on what one page reads; docs/inventory.md names it.
MAX_FEATURES = 2_000
_CALLING = ["serve", "telemetry"]


@dataclass(frozen=True)
class Artifact:
    """A pinned version: `role` is the model's, or empty for a prompt."""

    name: str
    version: str
    role: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Point:
    """One feature in one environment.

    `release` is the stable one's version, empty where nothing is live. `services` names the keys that may call here; which of
    them did is not recorded. `last_call` is None where no call is recorded.
    """

    feature: str
    name: str
    environment: str
    owner: str
    risk: str
    release: str
    release_id: UUID | None
    deployment_id: UUID | None
    prompts: tuple[Artifact, ...]
    models: tuple[Artifact, ...]
    services: tuple[str, ...]
    last_call: datetime | None
    calls_per_day: int

    @property
    def state(self) -> str:
        """`live`, `silent` (live and without a call), or `empty` (nothing is live)."""
        if not self.release:
            return "empty"
        return "silent" if self.last_call is None else "live"


@dataclass(frozen=True)
class PointFilter:
    """What is asked for; empty fields filter nothing. `text` is part of a feature's, prompt's, model's or owner's name."""

    text: str = ""
    environment: str = ""
    state: str = ""
    sort: str = ""


_NEVER = datetime.min.replace(tzinfo=UTC)
SORTS: Mapping[str, Callable[[Point], Any]] = {
    "feature": lambda point: point.feature,
    "environment": lambda point: point.environment,
    "owner": lambda point: (not point.owner, point.owner),
    "calls": lambda point: point.calls_per_day,
    "last_call": lambda point: point.last_call or _NEVER,
}
STATES = {"live": "Live", "silent": "Live, never called", "empty": "Nothing live"}


def points(*, project_id: UUID, wanted: PointFilter | None = None) -> list[Point]:
    """The project's points of inference that fit, by feature and environment unless sorted otherwise; five queries."""
    wanted = wanted or PointFilter()
    environments = list(Environment.objects.filter(project_id=project_id).order_by("position"))
    if wanted.environment:
        environments = [one for one in environments if one.slug == wanted.environment]
    features = list(
        Feature.objects.filter(project_id=project_id).select_related("owner").order_by("slug")[:MAX_FEATURES]
    )
    live = {
        (row.feature_id, row.environment_id): row
        for row in Deployment.objects.filter(project_id=project_id).select_related("stable_release")
    }
    services = _services(project_id)
    calls = calls_of((place.pk, feature.slug) for feature in features for place in environments)
    found = [
        _point(
            feature,
            place,
            live.get((feature.pk, place.pk)),
            services[place.pk],
            calls[place.pk, feature.slug],
        )
        for feature in features
        for place in environments
    ]
    found = [point for point in found if _fits(point, wanted)]
    key = SORTS.get(wanted.sort.removeprefix("-"))
    return sorted(found, key=key, reverse=wanted.sort.startswith("-")) if key else found


def pins_of(release: Release | None) -> tuple[tuple[Artifact, ...], tuple[Artifact, ...]]:
    """The prompts and the models that a release pins; none where there is no release."""
    if release is None:
        return (), ()
    prompts, models = release.manifest["prompts"], release.manifest["models"]
    return (
        tuple(Artifact(pin["name"], pin["version"]) for pin in prompts),
        tuple(Artifact(pin["name"], pin["version"], role) for role, pin in models.items()),
    )


def _services(project_id: UUID) -> defaultdict[UUID, list[str]]:
    """Environment → names of the keys with which services may call there now."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    rows = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=clock.now()),
        project_id=project_id,
        kind=ApiKey.Kind.SERVICE,
        revoked_at=None,
        scopes__overlap=_CALLING,
    )
    for environment_id, name in rows.order_by("name").values_list("environment_id", "name"):
        found[environment_id].append(name)
    return found


def _point(
    feature: Feature, place: Environment, deployment: Deployment | None, services: Sequence[str], calls: Calls
) -> Point:
    release = deployment.stable_release if deployment else None
    pins_prompts, pins_models = pins_of(release)
    return Point(
        feature=feature.slug,
        name=feature.name,
        environment=place.slug,
        owner=str(feature.owner or ""),
        risk=feature.risk_class,
        release=release.version if release else "",
        release_id=release.pk if release else None,
        deployment_id=deployment.pk if deployment else None,
        prompts=pins_prompts,
        models=pins_models,
        services=tuple(services),
        last_call=calls.last,
        calls_per_day=calls.day,
    )


def _fits(point: Point, wanted: PointFilter) -> bool:
    text = wanted.text.strip().lower()
    words = [point.feature, point.name, point.owner, *map(str, point.prompts), *map(str, point.models)]
    return (not wanted.state or point.state == wanted.state) and (
        not text or any(text in word.lower() for word in words)
    )
