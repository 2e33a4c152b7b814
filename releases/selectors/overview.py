"""What is live where, what is on its way, and the releases of each feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from promptstore.core.models import Environment
from registry.models import Feature
from releases.models import Deployment, LivePeriod, Promotion, Release, Rollout
from releases.models.rollouts import LIVE
from releases.selectors.places import deployments, promotions
from releases.states import PromotionState

NEWEST = 6

# What has neither arrived nor ended.
UNDER_WAY = (
    PromotionState.DRAFTED,
    PromotionState.CHECKING,
    PromotionState.BLOCKED,
    PromotionState.AWAITING_APPROVAL,
    PromotionState.APPROVED,
    PromotionState.ROLLING_OUT,
)


@dataclass(frozen=True)
class Place:
    """One feature in one environment; `deployment` is `None` where nothing was ever requested."""

    environment: Environment
    deployment: Deployment | None
    since: datetime | None
    rollout: Rollout | None

    @property
    def release(self) -> Release | None:
        """What is stable here."""
        return self.deployment.stable_release if self.deployment else None


@dataclass(frozen=True)
class ListedRelease:
    """A release and the slugs of the environments where it is stable."""

    release: Release
    live_in: tuple[str, ...]


@dataclass(frozen=True)
class FeatureOverview:
    """A feature's releases and where they are; `more` says that older ones exist."""

    feature: Feature
    places: tuple[Place, ...]
    under_way: tuple[Promotion, ...]
    releases: tuple[ListedRelease, ...]
    more: bool


def feature_overviews(project_id: UUID, *, feature: str = "") -> list[FeatureOverview]:
    """Every feature of a project, by name, in a fixed number of queries."""
    features = Feature.objects.filter(project_id=project_id).order_by("slug")
    if feature:
        features = features.filter(slug=feature)
    places = _Places(project_id)
    waiting: defaultdict[UUID, list[Promotion]] = defaultdict(list)
    for promotion in promotions().filter(project_id=project_id, state__in=UNDER_WAY).order_by("-id"):
        waiting[promotion.deployment.feature_id].append(promotion)
    newest = _newest(project_id)
    return [
        FeatureOverview(
            feature=row,
            places=tuple(places.of(row.pk)),
            under_way=tuple(waiting[row.pk]),
            releases=tuple(listed_releases(newest[row.pk][:NEWEST], places.of(row.pk))),
            more=len(newest[row.pk]) > NEWEST,
        )
        for row in features
    ]


def listed_releases(rows: Sequence[Release], places: Sequence[Place]) -> list[ListedRelease]:
    """Releases with where each is stable."""
    return [
        ListedRelease(
            release=row,
            live_in=tuple(p.environment.slug for p in places if p.release and p.release.pk == row.pk),
        )
        for row in rows
    ]


def places_of(project_id: UUID, feature_id: UUID) -> list[Place]:
    """One feature in each environment, in the order in which a release passes them."""
    return _Places(project_id).of(feature_id)


class _Places:
    """All places of a project, read once."""

    def __init__(self, project_id: UUID) -> None:
        self.environments = list(Environment.objects.filter(project_id=project_id).order_by("position"))
        rows = list(deployments().filter(project_id=project_id))
        self.by_place = {(row.feature_id, row.environment_id): row for row in rows}
        self.since = live_since(rows)
        live = Rollout.objects.select_related("candidate", "promotion").filter(
            project_id=project_id, state__in=LIVE
        )
        self.rollouts = {row.deployment_id: row for row in live}

    def of(self, feature_id: UUID) -> list[Place]:
        return [self._place(feature_id, environment) for environment in self.environments]

    def _place(self, feature_id: UUID, environment: Environment) -> Place:
        row = self.by_place.get((feature_id, environment.pk))
        return Place(
            environment=environment,
            deployment=row,
            since=self.since.get(row.pk) if row else None,
            rollout=self.rollouts.get(row.pk) if row else None,
        )


def live_since(rows: Sequence[Deployment]) -> Mapping[UUID, datetime]:
    """When each deployment's stable release became stable."""
    periods = (
        LivePeriod.objects.filter(deployment__in=rows)
        .order_by("deployment_id", "-id")
        .distinct("deployment_id")
        .values_list("deployment_id", "since")
    )
    return dict(periods)


def _newest(project_id: UUID) -> defaultdict[UUID, list[Release]]:
    found: defaultdict[UUID, list[Release]] = defaultdict(list)
    numbered = Release.objects.filter(project_id=project_id).annotate(
        place=Window(RowNumber(), partition_by=F("feature_id"), order_by=F("id").desc())
    )
    for row in (
        numbered.filter(place__lte=NEWEST + 1).select_related("composed_by", "feature").order_by("-id")
    ):
        found[row.feature_id].append(row)
    return found
