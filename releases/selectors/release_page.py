"""A release as its page shows it: its pins, its makers, its promotions, and what it served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from evals.models import GateReport
from promptstore.core import clock
from promptstore.core.actors import Actor
from promptstore.core.models import Environment
from promptstore.core.permissions import allows
from releases.models import EnvironmentPolicy, Promotion, Release
from releases.routing import Arm
from releases.selectors.overview import Place, places_of
from releases.selectors.people import names_of
from releases.selectors.places import promotions
from releases.selectors.policies import policy_of
from releases.states import NOT_STARTED, PromotionState
from telemetry.models import Inference, Rollup

RECENT = 20
ANSWERS = 8


@dataclass(frozen=True)
class Pin:
    """One pinned artifact: `kind` is prompt, model or config; `role` is the model's."""

    kind: str
    role: str
    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class Destination:
    """An environment that the release could be requested for; `why_not` says what is in the way."""

    environment: Environment
    why_not: str


@dataclass(frozen=True)
class ReleaseView:
    """`inferences` are the latest; empty for people who may not read them. `calls_24h` counts all arms."""

    release: Release
    pins: tuple[Pin, ...]
    contributors: tuple[str, ...]
    places: tuple[Place, ...]
    destinations: tuple[Destination, ...]
    promotions: tuple[Promotion, ...]
    reports: tuple[GateReport, ...]
    calls_24h: int
    inferences: tuple[Inference, ...]
    may_read_inferences: bool


def release_view(actor: Actor, release: Release) -> ReleaseView:
    """Everything about a release (from `places.release_by_id`) as `actor` may see it."""
    project_id = release.project_id
    places = places_of(project_id, release.feature_id)
    sent = list(promotions().filter(project_id=project_id, release=release).order_by("-id")[:RECENT])
    may_read = allows(actor, "inference.read", project_id=project_id)
    may_request = allows(actor, "promotion.request", project_id=project_id)
    return ReleaseView(
        release=release,
        pins=tuple(pins_of(release)),
        contributors=tuple(sorted(names_of(release.contributors).values())),
        places=tuple(places),
        destinations=tuple(_destinations(release, places, sent)) if may_request else (),
        promotions=tuple(sent),
        reports=tuple(
            GateReport.objects.filter(project_id=project_id, release_digest=release.digest)
            .defer("body")
            .order_by("-id")[:RECENT]
        ),
        calls_24h=_calls(release),
        inferences=tuple(_inferences(release)) if may_read else (),
        may_read_inferences=may_read,
    )


def pins_of(release: Release) -> list[Pin]:
    """The manifest's pins, prompts first."""
    manifest = release.manifest
    rows = [
        ("prompt", "primary" if pin["name"] == manifest["primary"] else "", pin)
        for pin in manifest["prompts"]
    ]
    rows += [("model", role, pin) for role, pin in manifest["models"].items()]
    rows.append(("config", "", manifest["config"]))
    return [
        Pin(kind=kind, role=role, name=pin["name"], version=pin["version"], digest=pin["digest"])
        for kind, role, pin in rows
    ]


def _destinations(release: Release, places: Sequence[Place], sent: Sequence[Promotion]) -> list[Destination]:
    latest = (
        EnvironmentPolicy.objects.select_related("environment")
        .filter(environment__in=[place.environment for place in places])
        .order_by("environment_id", "-number")
        .distinct("environment_id")
    )
    policies = {row.environment_id: policy_of(row) for row in latest}
    stable = {place.environment.slug: place.release for place in places}
    found = []
    for place in places:
        slug = place.environment.slug
        policy = policies.get(place.environment.pk)
        why_not = ""
        if place.release and place.release.pk == release.pk:
            why_not = f"It is live in {slug}."
        elif any(one.deployment.environment_id == place.environment.pk and _is_open(one) for one in sent):
            why_not = f"A promotion to {slug} is under way."
        elif policy is None:
            why_not = f"{slug} has no policy yet."
        elif policy.requires_live_in:
            prior = stable.get(policy.requires_live_in)
            if prior is None or prior.pk != release.pk:
                why_not = f"{slug} takes only what is live in {policy.requires_live_in}."
        found.append(Destination(environment=place.environment, why_not=why_not))
    return found


def _is_open(promotion: Promotion) -> bool:
    return promotion.state in {*NOT_STARTED, PromotionState.ROLLING_OUT}


def _calls(release: Release) -> int:
    rows = Rollup.objects.filter(
        environment__project_id=release.project_id,
        feature=release.feature.slug,
        release_digest=release.digest,
        minute__gte=clock.now() - timedelta(hours=24),
    ).exclude(arm=Arm.SHADOW)
    return int(rows.aggregate(calls=Sum("count"))["calls"] or 0)


def _inferences(release: Release) -> list[Inference]:
    rows = Inference.objects.filter(
        project_id=release.project_id,
        environment__project_id=release.project_id,
        feature=release.feature.slug,
        release_digest=release.digest,
        at__gte=clock.now() - timedelta(days=7),
    ).select_related("environment")
    return list(rows.order_by("-at")[:ANSWERS])
