"""Rounds of checks: the gates of a promotion's policy, run by a worker, and the evidence that they leave."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from evals.services import GateSubject, run_gate
from evals.states import Verdict, worst_of
from promptstore.core import audit, machines, outbox
from promptstore.core.actors import Actor, system
from promptstore.core.digests import digest_json
from registry import documents
from releases.models import Evidence, Promotion, Release
from releases.selectors.policies import policy_of
from releases.services.locks import lock_promotion
from releases.services.moves import move_promotion
from releases.services.votes import dismiss_approvals
from releases.states import PROMOTION, PromotionState

CHECKER = system("checks")


def begin_checks(actor: Actor, promotion: Promotion, *, reason: str) -> None:
    """Open a new round of checks under the caller's lock and transaction."""
    if promotion.state == PromotionState.APPROVED:
        dismiss_approvals(promotion, reason=reason)
    before = promotion.state
    if promotion.state == PromotionState.DRAFTED:
        promotion.state = machines.next_state(PROMOTION, PromotionState.DRAFTED, "submit")
    elif promotion.state != PromotionState.CHECKING:
        promotion.state = machines.next_state(PROMOTION, PromotionState(promotion.state), "recheck")
    promotion.check_round += 1
    promotion.outcome = ""
    promotion.save()
    audit.record(
        actor=actor,
        action="promotion.check_started",
        target=promotion,
        project_id=promotion.project_id,
        before={"state": before},
        after={"state": promotion.state, "round": promotion.check_round},
        reason=reason,
    )
    outbox.emit("promotion.check", {"promotion_id": str(promotion.id), "round": promotion.check_round})


def finish_checks(*, promotion_id: UUID, check_round: int) -> None:
    """Run one round of gates and store its evidence; the worker's side of `begin_checks`.

    The gates run outside any transaction. Their result counts only if this round is still the current one.
    """
    promotion = (
        Promotion.objects.select_related(
            "release__feature", "deployment__environment", "deployment__stable_release", "policy"
        )
        .filter(pk=promotion_id)
        .first()
    )
    if (
        promotion is None
        or promotion.check_round != check_round
        or promotion.state != PromotionState.CHECKING
    ):
        return
    policy = policy_of(promotion.policy)
    release = promotion.release
    subject = _subject(promotion)
    reports = [
        run_gate(name=gate, subject=subject, params=dict(policy.gate_params.get(gate, {})))
        for gate in policy.gates
    ]
    rows = [{"gate": report.gate, "verdict": report.verdict, "digest": report.digest} for report in reports]
    verdict = worst_of(Verdict(report.verdict) for report in reports) if reports else Verdict.PASS
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id)
        if promotion.check_round != check_round or promotion.state != PromotionState.CHECKING:
            return
        body = {
            "release": release.digest,
            "policy": promotion.policy.digest,
            "round": check_round,
            "verdict": verdict.value,
            "reports": rows,
        }
        evidence = Evidence.objects.create(
            project_id=promotion.project_id,
            promotion=promotion,
            check_round=check_round,
            verdict=verdict.value,
            reports=rows,
            digest=digest_json(body),
        )
        action = "checks_passed" if verdict is Verdict.PASS else "checks_failed"
        move_promotion(
            CHECKER,
            promotion,
            action,
            outcome="" if verdict is Verdict.PASS else _why(rows),
            after={"evidence": evidence.digest},
        )
        if verdict is Verdict.PASS and policy.quorum == 0:
            approve_by_policy(promotion)


def _subject(promotion: Promotion) -> GateSubject:
    """The release beside what is live where it goes, unless that is the same."""
    live = promotion.deployment.stable_release
    if live is None or live.digest == promotion.release.digest:
        return _judged(promotion, promotion.release)
    return _judged(promotion, promotion.release, baseline=_judged(promotion, live))


def _judged(promotion: Promotion, release: Release, *, baseline: GateSubject | None = None) -> GateSubject:
    return GateSubject(
        project_id=promotion.project_id,
        release_digest=release.digest,
        release=documents.resolve(promotion.project_id, release.manifest, release.digest),
        environment=promotion.deployment.environment.slug,
        feature=promotion.release.feature.slug,
        baseline=baseline,
    )


def approve_by_policy(promotion: Promotion) -> None:
    """Approve without a vote where the policy asks for none, and let it start."""
    move_promotion(CHECKER, promotion, "approve", after={"quorum": 0})
    outbox.emit("promotion.start", {"promotion_id": str(promotion.id)})


def _why(rows: list[dict[str, str]]) -> str:
    words = {"fail": "did not pass", "error": "could not run", "inconclusive": "was inconclusive"}
    return (
        "; ".join(
            f"the {row['gate']} gate {words[row['verdict']]}" for row in rows if row["verdict"] != "pass"
        ).capitalize()
        + "."
    )
