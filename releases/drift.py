"""A model that answers differently is an incident where a release uses it: one per deployment, with the releases on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from evals.selectors.probes import DriftFacts, drift_facts
from incidents.models import Incident, IncidentEntry
from incidents.services import open_incident
from promptstore.core.actors import system
from releases.models import Deployment, Release, Rollout
from releases.models.rollouts import LIVE
from releases.routing import Arm
from releases.selectors.places import deployments

SEVERITY: Final = Incident.Severity.P2
_PROBES: Final = system("probes")


@dataclass(frozen=True, slots=True)
class Reach:
    """A release of a deployment that pins the model: its arm, and the roles that the model has in it."""

    arm: Arm
    release: Release
    roles: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "arm": self.arm.value,
            "release": self.release.version,
            "digest": self.release.digest,
            "roles": list(self.roles),
        }


def open_incidents(*, run_id: UUID) -> list[Incident]:
    """Open or repeat the incident of each deployment that a drifted entry reaches; empty where no release uses it.

    Handles `probe.drifted`; all of it is one transaction, and a run that an incident tells of already is not told twice.
    """
    facts = drift_facts(run_id=run_id)
    with transaction.atomic():
        found = [_incident(place, reached, facts) for place, reached in affected(facts)]
    return [incident for incident in found if incident is not None]


def affected(facts: DriftFacts) -> list[tuple[Deployment, list[Reach]]]:
    """Deployments whose stable release or live candidate pins the entry, in a fixed order."""
    candidates = {
        rollout.deployment_id: rollout.candidate
        for rollout in Rollout.objects.filter(project_id=facts.project_id, state__in=LIVE).select_related(
            "candidate__feature"
        )
    }
    places = deployments().filter(project_id=facts.project_id).order_by("id")
    found = []
    for place in places:
        arms = ((Arm.STABLE, place.stable_release), (Arm.CANDIDATE, candidates.get(place.pk)))
        reached = list(_reaches(arms, facts.entry_digest))
        if reached:
            found.append((place, reached))
    return found


def _reaches(arms: Iterable[tuple[Arm, Release | None]], entry_digest: str) -> Iterable[Reach]:
    for arm, release in arms:
        if release is None:
            continue
        pins = release.manifest["models"].items()
        roles = tuple(sorted(role for role, pin in pins if pin["digest"] == entry_digest))
        if roles:
            yield Reach(arm, release, roles)


def _incident(place: Deployment, reached: list[Reach], facts: DriftFacts) -> Incident | None:
    key = f"drift-{facts.entry_id}-{place.pk}"
    known = IncidentEntry.objects.filter(
        project_id=facts.project_id, incident__dedup_key=key, text__contains=str(facts.run_id)
    )
    if known.exists():
        return None
    named = " and ".join(f"{reach.arm.value} {reach.release.version}" for reach in reached)
    return open_incident(
        actor=_PROBES,
        project_id=facts.project_id,
        environment_id=place.environment_id,
        feature_id=place.feature_id,
        title=f"{facts.entry} answers differently than before, in {place.environment.slug}",
        summary=f"{facts.sentence} Used in {place} by {named}. Probe run {facts.run_id}.",
        severity=SEVERITY.value,
        dedup_key=key,
        rollout_id=None,
        release_digest=reached[0].release.digest,
        evidence={
            "drift": dict(facts.evidence),
            "releases": [reach.to_dict() for reach in reached],
            **{
                reach.arm.value: {"release": reach.release.version, "digest": reach.release.digest}
                for reach in reached
            },
        },
    )
