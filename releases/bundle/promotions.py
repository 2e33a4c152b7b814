"""How a release was let through: what was asked, checked and voted, with everything that a vote is bound to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from evals.models import GateReport
from promptstore.core.digests import canonical_json, digest_json
from promptstore.core.models import AuditEvent
from releases.bundle.people import person, without_addresses
from releases.models import EnvironmentPolicy, Evidence, LivePeriod, Promotion, Release, Vote
from releases.selectors.places import promotions


def promotions_of(release: Release) -> list[Promotion]:
    """Every promotion that was ever asked for, oldest first."""
    rows = promotions().filter(project_id=release.project_id, release=release)
    return list(rows.prefetch_related("evidence", "votes__user").order_by("id"))


def policies_of(asked: list[Promotion]) -> list[EnvironmentPolicy]:
    """All versions of the policies that these promotions may have been checked under."""
    places = {promotion.deployment.environment_id for promotion in asked}
    rows = EnvironmentPolicy.objects.select_related("environment", "changed_by")
    return list(rows.filter(environment_id__in=places).order_by("environment_id", "number"))


def promotion_members(
    asked: list[Promotion], policies: list[EnvironmentPolicy], events: list[AuditEvent]
) -> Iterator[tuple[str, bytes]]:
    """`promotions/{id}.json`; `events` are those that the bundle carries."""
    for promotion in asked:
        own = [row for row in policies if row.environment_id == promotion.deployment.environment_id]
        rounds = [_round(promotion, one, own) for one in _by_round(promotion)]
        votes = [_vote(vote) for vote in sorted(promotion.votes.all(), key=lambda vote: vote.pk)]
        used = {promotion.policy.digest}
        used |= {one["document"]["policy"] for one in rounds} | {vote["policy_digest"] for vote in votes}
        body = {
            "id": str(promotion.pk),
            "environment": promotion.deployment.environment.slug,
            "release_digest": promotion.release.digest,
            "base_release": _named(promotion.base_release),
            "state": promotion.state,
            "reason": without_addresses(promotion.reason),
            "outcome": without_addresses(promotion.outcome),
            "requested_at": promotion.created_at.isoformat(),
            "requested_by": person(promotion.requested_by),
            "expires_at": promotion.expires_at.isoformat(),
            "plan": promotion.plan,
            "plan_digest": promotion.plan_digest,
            "policy_digest": promotion.policy.digest,
            "policies": [_policy(row) for row in own if row.digest in used],
            "check_round": promotion.check_round,
            "rounds": rounds,
            "votes": votes,
            "states": [
                _state(event)
                for event in events
                if event.object_type == "promotion" and event.object_id == str(promotion.pk)
            ],
        }
        yield f"promotions/{promotion.pk}.json", canonical_json(body)


def report_members(project_id: UUID, asked: list[Promotion]) -> Iterator[tuple[str, bytes]]:
    """`reports/{digest}.json`: the reports that evidence names. Their bytes are what the digest covers."""
    wanted = {row["digest"] for promotion in asked for one in promotion.evidence.all() for row in one.reports}
    for report in GateReport.objects.filter(project_id=project_id, digest__in=wanted).order_by("digest"):
        yield f"reports/{report.digest.removeprefix('sha256:')}.json", canonical_json(report.body)


def live_periods(release: Release) -> list[dict[str, Any]]:
    """Since when the release was stable where, and how it became so."""
    rows = LivePeriod.objects.select_related("deployment__environment").filter(
        project_id=release.project_id, release=release
    )
    return [
        {
            "environment": row.deployment.environment.slug,
            "since": row.since.isoformat(),
            "how": row.how,
            "reason": without_addresses(row.reason),
        }
        for row in rows.order_by("id")
    ]


def _by_round(promotion: Promotion) -> list[Evidence]:
    return sorted(promotion.evidence.all(), key=lambda one: one.check_round)


def _round(promotion: Promotion, evidence: Evidence, policies: list[EnvironmentPolicy]) -> dict[str, Any]:
    """One round with the document that its digest covers. The row does not name its policy: it is the one that fits the digest."""
    documents = [
        {
            "release": promotion.release.digest,
            "policy": digest,
            "round": evidence.check_round,
            "verdict": evidence.verdict,
            "reports": evidence.reports,
        }
        for digest in [promotion.policy.digest, *(row.digest for row in reversed(policies))]
    ]
    fitting = next((one for one in documents if digest_json(one) == evidence.digest), documents[0])
    return {"document": fitting, "digest": evidence.digest, "at": evidence.created_at.isoformat()}


def _vote(vote: Vote) -> dict[str, Any]:
    return {
        "by": person(vote.user),
        "at": vote.created_at.isoformat(),
        "choice": vote.choice,
        "release_digest": vote.release_digest,
        "evidence_digest": vote.evidence_digest,
        "policy_digest": vote.policy_digest,
        "plan_digest": vote.plan_digest,
        "comment": without_addresses(vote.comment),
    }


def _policy(row: EnvironmentPolicy) -> dict[str, Any]:
    return {
        "number": row.number,
        "digest": row.digest,
        "body": row.body,
        "at": row.created_at.isoformat(),
        "changed_by": person(row.changed_by),
    }


def _state(event: AuditEvent) -> dict[str, Any]:
    before, after = event.before or {}, event.after or {}
    return {
        "at": event.at.isoformat(),
        "action": event.action,
        "by": without_addresses(event.actor_name),
        "from": before.get("state"),
        "to": after.get("state"),
        "event": str(event.pk),
    }


def _named(release: Release | None) -> dict[str, str] | None:
    return None if release is None else {"version": release.version, "digest": release.digest}
