"""How a release reached people: each rollout's plan, decisions and weights, and the incidents that it caused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from incidents.models import Incident
from promptstore.core.digests import canonical_json
from releases.bundle.people import without_addresses
from releases.models import Release, Rollout, RolloutDecision
from releases.selectors.places import rollouts


def rollouts_of(release: Release) -> list[Rollout]:
    """Every rollout in which the release was the candidate, oldest first."""
    rows = rollouts().filter(project_id=release.project_id, candidate=release)
    return list(rows.prefetch_related("decisions").order_by("id"))


def incidents_of(release: Release, moved: list[Rollout]) -> list[Incident]:
    """The incidents that name the release or one of its rollouts."""
    named = Q(release_digest=release.digest) | Q(rollout_id__in=[row.pk for row in moved])
    rows = Incident.objects.select_related("environment").filter(named, project_id=release.project_id)
    return list(rows.prefetch_related("entries").order_by("id"))


def rollout_members(moved: list[Rollout], incidents: list[Incident]) -> Iterator[tuple[str, bytes]]:
    """`rollouts/{id}.json`. `routing` is every weight that the row ever had, from the database's own history of it."""
    for rollout in moved:
        body = {
            "id": str(rollout.pk),
            "promotion": str(rollout.promotion_id),
            "environment": rollout.deployment.environment.slug,
            "candidate": _named(rollout.candidate),
            "baseline": _named(rollout.baseline),
            "state": rollout.state,
            "plan": rollout.promotion.plan,
            "weight_bp": rollout.weight_bp,
            "withdrawn_bp": rollout.withdrawn_bp,
            "on_withdraw": rollout.on_withdraw,
            "started_at": rollout.created_at.isoformat(),
            "finished_at": rollout.finished_at.isoformat() if rollout.finished_at else None,
            "decisions": [
                _decision(one) for one in sorted(rollout.decisions.all(), key=lambda one: one.number)
            ],
            "routing": _routing(rollout),
            "incidents": [str(one.pk) for one in incidents if one.rollout_id == rollout.pk],
        }
        yield f"rollouts/{rollout.pk}.json", canonical_json(body)


def incident_members(incidents: list[Incident], *, with_samples: bool) -> Iterator[tuple[str, bytes]]:
    """`incidents/{id}.json`; the single inferences in their evidence only `with_samples`."""
    for incident in incidents:
        evidence = {
            name: value for name, value in incident.evidence.items() if with_samples or name != "samples"
        }
        body = {
            "id": str(incident.pk),
            "environment": incident.environment.slug,
            "title": incident.title,
            "summary": incident.summary,
            "severity": incident.severity,
            "state": incident.state,
            "rollout": str(incident.rollout_id) if incident.rollout_id else None,
            "release_digest": incident.release_digest,
            "opened_at": incident.created_at.isoformat(),
            "acknowledged_at": _moment(incident.acknowledged_at),
            "mitigated_at": _moment(incident.mitigated_at),
            "resolved_at": _moment(incident.resolved_at),
            "evidence": evidence,
            "entries": [
                {
                    "at": one.at.isoformat(),
                    "kind": one.kind,
                    "by": one.actor_name,
                    "text": one.text,
                    "data": one.data,
                }
                for one in sorted(incident.entries.all(), key=lambda one: one.pk)
            ],
        }
        yield f"incidents/{incident.pk}.json", canonical_json(without_addresses(body))


def _decision(row: RolloutDecision) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "number": row.number,
        "at": row.at.isoformat(),
        "kind": row.kind,
        "by": without_addresses(row.actor_name),
        "from_state": row.from_state,
        "to_state": row.to_state,
        "from_weight_bp": row.from_weight_bp,
        "to_weight_bp": row.to_weight_bp,
        "step_index": row.step_index,
        "sentences": without_addresses(row.sentences),
        "measurements": row.measurements,
    }


def _routing(rollout: Rollout) -> list[dict[str, Any]]:
    # The product's clock orders the moves; the machine's, which somebody may set, only what happened in one instant.
    ordered = rollout.history.order_by("last_moved_at", "history_date")
    rows = ordered.values_list("history_date", "state", "weight_bp")
    found: list[dict[str, Any]] = []
    for at, state, weight_bp in rows:
        if not found or found[-1]["weight_bp"] != weight_bp:
            found.append({"at": at.isoformat(), "state": state, "weight_bp": weight_bp})
    return found


def _named(release: Release | None) -> dict[str, str] | None:
    return None if release is None else {"version": release.version, "digest": release.digest}


def _moment(at: Any) -> str | None:
    return at.isoformat() if at else None
