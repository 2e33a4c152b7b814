"""A model that answers differently is an incident where a release uses it: one per deployment, with the releases on it.

Rules may break before or after a probe sees why. So the incident of a rollback names an open drift of a model that its candidate
pins, and a drift that is found later joins the timeline of that incident.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from evals.selectors.probes import DriftFacts, drift_facts
from incidents.models import Incident, IncidentEntry
from incidents.services import open_incident
from incidents.states import IncidentState
from promptstore.core.actors import system
from releases.models import Deployment, Release, Rollout
from releases.models.rollouts import LIVE
from releases.routing import Arm
from releases.selectors.places import deployments

SEVERITY: Final = Incident.Severity.P2
_PROBES: Final = system("probes")
# Of `Incident.dedup_key`; the model version and the deployment follow.
_KEY: Final = "drift-"


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

    Unresolved incidents of rollouts whose candidate pins the entry are told once.

    Handles `probe.drifted`; all of it is one transaction, and a run that an incident tells of already is not told twice.
    """
    facts = drift_facts(run_id=run_id)
    with transaction.atomic():
        found = [_incident(place, reached, facts) for place, reached in affected(facts)]
        for rollout in _fallen(facts):
            _tell(rollout, facts)
    return [incident for incident in found if incident is not None]


def drifts_behind(rollout: Rollout) -> list[Incident]:
    """The unresolved drifts of models that the rollout's candidate pins, as its deployment knows them; the oldest first."""
    pinned = {pin["digest"] for pin in rollout.candidate.manifest["models"].values()}
    found = Incident.objects.filter(
        project_id=rollout.project_id,
        dedup_key__startswith=_KEY,
        dedup_key__endswith=str(rollout.deployment_id),
    ).exclude(state=IncidentState.RESOLVED)
    return [one for one in found.order_by("id") if one.evidence["drift"]["entry_digest"] in pinned]


def named_causes(drifts: Iterable[Incident]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What the incident of a rollback says of the drifts behind it: sentences, and the evidence of the first one."""
    drifts = list(drifts)
    said = tuple(
        f"{one.evidence['drift']['entry']}, which it pins, answers differently than before: "
        f"{one.evidence['drift']['sentence']} Probe run {one.evidence['drift']['run']}, incident {one.pk}."
        for one in drifts
    )
    kept = {name: drifts[0].evidence[name] for name in ("drift", "releases")} if drifts else {}
    return said, kept


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


def _fallen(facts: DriftFacts) -> list[Rollout]:
    """Rollouts whose candidate pins the entry, and whose incident is unresolved."""
    unresolved = Incident.objects.filter(project_id=facts.project_id).exclude(state=IncidentState.RESOLVED)
    rollouts = Rollout.objects.filter(
        project_id=facts.project_id, incident_id__in=unresolved.values("pk")
    ).select_related("candidate__feature", "deployment")
    return [
        one
        for one in rollouts.order_by("id")
        if any(pin["digest"] == facts.entry_digest for pin in one.candidate.manifest["models"].values())
    ]


def _tell(rollout: Rollout, facts: DriftFacts) -> None:
    assert rollout.incident_id is not None  # it has fallen
    incident = Incident.objects.get(pk=rollout.incident_id)
    if IncidentEntry.objects.filter(incident=incident, text__contains=facts.entry).exists():
        return
    open_incident(
        actor=_PROBES,
        project_id=facts.project_id,
        environment_id=incident.environment_id,
        feature_id=incident.feature_id,
        title=incident.title,
        summary=f"{facts.entry}, which {rollout.candidate} pins, answers differently than before: "
        f"{facts.sentence} Probe run {facts.run_id}.",
        severity=incident.severity,
        dedup_key=incident.dedup_key,
        rollout_id=rollout.pk,
        release_digest=rollout.candidate.digest,
        evidence={},
    )


def _incident(place: Deployment, reached: list[Reach], facts: DriftFacts) -> Incident | None:
    key = f"{_KEY}{facts.entry_id}-{place.pk}"
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
