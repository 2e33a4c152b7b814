"""Is production healthy? One row per deployment, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.db.models import Sum

from incidents.models import Incident
from incidents.selectors import incident_list
from promptstore.core import clock
from promptstore.core.http.links import page_url
from promptstore.core.models import Environment
from releases.models import Deployment, Rollout
from releases.models.rollouts import LIVE
from releases.routing import Arm
from releases.selectors.overview import live_since
from releases.selectors.places import deployments
from releases.states import RolloutState
from telemetry.models import Rollup

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Counts:
    """Calls of the last hour, both arms."""

    calls: int = 0
    errors: int = 0
    policy_hits: int = 0


@dataclass(frozen=True)
class LiveRollout:
    """`seconds_to_go` is what the step still needs at least; `None` while it is paused or on the way down."""

    rollout: Rollout
    seconds_to_go: int | None


@dataclass(frozen=True)
class DeploymentHealth:
    """One feature in one environment; `status` is a key of the console's `health` statuses."""

    deployment: Deployment
    since: datetime | None
    rollout: LiveRollout | None
    incidents: tuple[Incident, ...]
    counts: Counts

    @property
    def incident_links(self) -> list[tuple[Incident, str]]:
        """Each incident with its page."""
        return [(one, page_url("incidents:incident_detail", one.pk)) for one in self.incidents]

    @property
    def status(self) -> str:
        """`degraded` while an incident is unresolved or a rollout goes down; `unknown` without calls."""
        falling = self.rollout is not None and self.rollout.rollout.state == RolloutState.ROLLING_BACK
        if self.incidents or falling:
            return "degraded"
        return "healthy" if self.counts.calls else "unknown"


@dataclass(frozen=True)
class Health:
    """The rows, those in trouble first, and the answer in a sentence."""

    rows: tuple[DeploymentHealth, ...]
    sentence: str
    tone: str


def health(project_id: UUID) -> Health:
    """Every deployment in an environment of the kind production where something is live or on its way."""
    now = clock.now()
    found = list(deployments().filter(project_id=project_id, environment__kind=Environment.Kind.PRODUCTION))
    since = live_since(found)
    live = {
        row.deployment_id: row
        for row in Rollout.objects.select_related("candidate", "promotion").filter(
            deployment__in=found, state__in=LIVE
        )
    }
    incidents = _incidents(project_id)
    counts = _counts(found, now)
    rows = [
        DeploymentHealth(
            deployment=row,
            since=since.get(row.pk),
            rollout=LiveRollout(live[row.pk], _to_go(live[row.pk], now)) if row.pk in live else None,
            incidents=tuple(incidents[row.feature_id, row.environment_id]),
            counts=counts.get((row.feature.slug, row.environment_id), Counts()),
        )
        for row in found
        if row.stable_release_id or row.pk in live
    ]
    rows.sort(key=lambda row: (row.status != "degraded", row.deployment.feature.slug))
    sentence, tone = _answer(rows)
    return Health(rows=tuple(rows), sentence=sentence, tone=tone)


def _answer(rows: list[DeploymentHealth]) -> tuple[str, str]:
    troubled = sum(row.status == "degraded" for row in rows)
    if not rows:
        return "Nothing is live in production yet.", "neutral"
    if troubled:
        noun = "feature needs" if troubled == 1 else "features need"
        return f"{troubled} of {len(rows)} {noun} attention in production.", "harm"
    if all(row.status == "unknown" for row in rows):
        return "Production has had no calls in the last hour, so its health is unknown.", "wait"
    return "Production is healthy.", "good"


def _to_go(rollout: Rollout, now: datetime) -> int | None:
    if rollout.state != RolloutState.RUNNING:
        return None
    return max(0, ceil(rollout.step.min_duration_s - (now - rollout.step_entered_at).total_seconds()))


def _incidents(project_id: UUID) -> defaultdict[tuple[UUID, UUID], list[Incident]]:
    found: defaultdict[tuple[UUID, UUID], list[Incident]] = defaultdict(list)
    for row in incident_list(project_id=project_id, state="unresolved").defer("evidence")[:50]:
        found[row.feature_id, row.environment_id].append(row)
    return found


def _counts(found: list[Deployment], now: datetime) -> Mapping[tuple[str, UUID], Counts]:
    rows = (
        Rollup.objects.filter(
            environment__in={row.environment_id for row in found},
            feature__in={row.feature.slug for row in found},
            minute__gt=now - HOUR,
        )
        .exclude(arm=Arm.SHADOW)  # copies of calls, which nobody waited for
        .values("feature", "environment_id")
        .annotate(calls=Sum("count"), failed=Sum("errors"), hits=Sum("policy_hits"))
    )
    return {
        (row["feature"], row["environment_id"]): Counts(row["calls"], row["failed"], row["hits"])
        for row in rows
    }
