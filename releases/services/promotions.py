from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from evals.services import GateSubject, run_gate
from evals.states import Verdict
from promptstore.core import audit, clock, machines, outbox
from promptstore.core.actors import Actor, ActorKind, system
from promptstore.core.digests import digest_json
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from promptstore.core.models import Environment
from promptstore.core.permissions import require
from registry import documents
from releases.models import Deployment, Evidence, Promotion, Release
from releases.plans import EnvironmentKind, Plan, validate_plan
from releases.policies import Policy
from releases.selectors.policies import policy_in_force, policy_of
from releases.services.deployments import go_live
from releases.services.locks import lock_deployment, lock_promotion
from releases.services.moves import move_promotion as move
from releases.services.rollouts import open_rollout, why_not_now
from releases.services.votes import has_quorum
from releases.states import PROMOTION, PromotionState

_CHECKER = system("checks")
_CONTROLLER = system("controller")
OPEN = (
    PromotionState.DRAFTED,
    PromotionState.CHECKING,
    PromotionState.BLOCKED,
    PromotionState.AWAITING_APPROVAL,
    PromotionState.APPROVED,
)


def request_promotion(
    *,
    actor: Actor,
    project_id: UUID,
    release_id: UUID,
    environment_id: UUID,
    reason: str = "",
    plan: dict[str, Any] | None = None,
) -> Promotion:
    """Ask to bring a release to an environment; its checks begin at once.

    `plan` replaces the policy's plan and must satisfy the same rules. Raises `Conflict` when the release is live there, is not
    yet live where the policy wants it first, or has an open promotion there.
    """
    with transaction.atomic():
        require(actor, "promotion.request", project_id=project_id)
        release = (
            Release.objects.select_related("feature").filter(pk=release_id, project_id=project_id).first()
        )
        environment = Environment.objects.filter(pk=environment_id, project_id=project_id).first()
        if release is None or environment is None:
            missing = "release" if release is None else "environment"
            raise NotFound(f"There is no such {missing} in this project.", field=missing)
        _require_own_environment(actor, environment)
        row = policy_in_force(environment)
        policy = policy_of(row)
        deployment = _deployment(release, environment)
        _require_reachable(release, deployment, policy)
        chosen = _plan(policy, plan, environment)
        try:
            with transaction.atomic():
                promotion = Promotion.objects.create(
                    project_id=project_id,
                    deployment=deployment,
                    release=release,
                    base_release=deployment.stable_release,
                    policy=row,
                    plan=chosen,
                    plan_digest=digest_json(chosen),
                    reason=reason,
                    requested_by_id=actor.user_id,
                    expires_at=clock.now() + timedelta(hours=policy.expires_after_h),
                )
        except IntegrityError as error:
            raise Conflict(
                f"{release} already has an open promotion to {environment.slug}.", code="promotion_open"
            ) from error
        audit.record(
            actor=actor,
            action="promotion.requested",
            target=promotion,
            project_id=project_id,
            after={
                "release": release.digest,
                "environment": environment.slug,
                "policy": row.number,
                "plan": chosen,
            },
            reason=reason,
        )
        _submit(promotion)
    return promotion


def _require_own_environment(actor: Actor, environment: Environment) -> None:
    """A service key belongs to one environment: one for staging, in whatever hands, must not reach production."""
    if actor.kind is ActorKind.SERVICE and actor.environment_id != environment.pk:
        raise NotAllowed(
            f"The key {actor.name} belongs to another environment than {environment.slug}. Use a key of {environment.slug}, or a "
            "personal token.",
            code="other_environment",
            field="environment",
        )


def change_plan(
    *, actor: Actor, project_id: UUID, promotion_id: UUID, plan: dict[str, Any], reason: str
) -> Promotion:
    """Replace the plan of a promotion that has not started; approvals given for the old one no longer count."""
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
        require(actor, "promotion.request", project_id=project_id)
        _require_own_environment(actor, promotion.deployment.environment)
        if promotion.state not in OPEN:
            raise Conflict(
                "The plan can be changed only before the rollout starts.", code="transition_refused"
            )
        policy = policy_of(promotion.policy)
        chosen = _plan(policy, plan, promotion.deployment.environment)
        before, promotion.plan, promotion.plan_digest = promotion.plan, chosen, digest_json(chosen)
        promotion.save(update_fields=["plan", "plan_digest"])
        audit.record(
            actor=actor,
            action="promotion.plan_changed",
            target=promotion,
            project_id=project_id,
            before={"plan": before},
            after={"plan": chosen},
            reason=reason,
        )
        if promotion.state in {PromotionState.APPROVED, PromotionState.AWAITING_APPROVAL}:
            dismiss_approvals(promotion, reason="The plan changed.")
    return promotion


def recheck_promotion(*, actor: Actor, project_id: UUID, promotion_id: UUID) -> Promotion:
    """Run the gates again: after a block, or when the evidence has grown old."""
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
        require(actor, "promotion.request", project_id=project_id)
        _require_own_environment(actor, promotion.deployment.environment)
        machines.apply(PROMOTION, PromotionState(promotion.state), "recheck")
        begin_checks(actor, promotion, reason="Asked for.")
    return promotion


def cancel_promotion(*, actor: Actor, project_id: UUID, promotion_id: UUID, reason: str) -> Promotion:
    """Call a promotion off before it reaches traffic."""
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id, project_id=project_id)
        if promotion.requested_by_id != actor.user_id:
            require(actor, "promotion.cancel", project_id=project_id)
        move(actor, promotion, "cancel", outcome=reason or "Cancelled.")
    return promotion


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


def _submit(promotion: Promotion) -> None:
    begin_checks(_CHECKER, promotion, reason="")


def finish_checks(*, promotion_id: UUID, check_round: int) -> None:
    """Run one round of gates and store its evidence; the worker's side of `begin_checks`.

    The gates run outside any transaction. Their result counts only if this round is still the current one.
    """
    promotion = (
        Promotion.objects.select_related("release__feature", "deployment__environment", "policy")
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
    subject = GateSubject(
        project_id=promotion.project_id,
        release_digest=release.digest,
        release=documents.resolve(promotion.project_id, release.manifest, release.digest),
        environment=promotion.deployment.environment.slug,
    )
    reports = [
        run_gate(name=gate, subject=subject, params=dict(policy.gate_params.get(gate, {})))
        for gate in policy.gates
    ]
    rows = [{"gate": report.gate, "verdict": report.verdict, "digest": report.digest} for report in reports]
    verdict = _worst([Verdict(report.verdict) for report in reports])
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
        move(
            _CHECKER,
            promotion,
            action,
            outcome="" if verdict is Verdict.PASS else _why(rows),
            after={"evidence": evidence.digest},
        )
        if verdict is Verdict.PASS and policy.quorum == 0:
            approve_by_policy(promotion)


def approve_by_policy(promotion: Promotion) -> None:
    """Approve without a vote where the policy asks for none, and let it start."""
    move(_CHECKER, promotion, "approve", after={"quorum": 0})
    outbox.emit("promotion.start", {"promotion_id": str(promotion.id)})


def start_promotion(*, promotion_id: UUID) -> bool:
    """Start what is approved, if everything that was approved still holds; returns whether it left the `approved` state.

    Checked again under the lock: what is stable, the quorum of people who may approve *now*, the evidence, the policy, expiry.
    It stays approved while another rollout is live or units are still withdrawn by an incident.
    """
    with transaction.atomic():
        promotion = lock_promotion(promotion_id=promotion_id)
        if promotion.state != PromotionState.APPROVED:
            return False
        policy = policy_of(promotion.policy)
        deployment = promotion.deployment
        if promotion.expires_at <= clock.now():
            move(_CONTROLLER, promotion, "expire", outcome="It was not started in time.")
        elif promotion.base_release_id != deployment.stable_release_id:
            move(
                _CONTROLLER,
                promotion,
                "supersede",
                outcome="Another release went live since this was requested. Request it again.",
            )
        elif policy_in_force(deployment.environment).digest != promotion.policy.digest or (
            policy.quorum and not has_quorum(promotion, policy)
        ):
            dismiss_approvals(
                promotion,
                reason="An approval no longer counts: its approver, the evidence or the policy changed.",
            )
        elif _missing_prior(promotion.release, deployment, policy):
            move(
                _CONTROLLER,
                promotion,
                "supersede",
                outcome=f"It is no longer live in {policy.requires_live_in}.",
            )
        elif why_not_now(deployment):
            return False
        else:
            _start(promotion)
    return True


def _start(promotion: Promotion) -> None:
    move(_CONTROLLER, promotion, "start")
    plan = Plan.from_dict(promotion.plan) if promotion.plan["steps"] else None
    if plan is None:
        go_live(_CONTROLLER, promotion)
    else:
        open_rollout(_CONTROLLER, promotion, plan)


def expire_promotions() -> int:
    """Close what nobody decided in time; returns how many."""
    due = Promotion.objects.filter(state__in=[state.value for state in OPEN], expires_at__lte=clock.now())
    count = 0
    for promotion_id in due.values_list("pk", flat=True):
        with transaction.atomic():
            promotion = lock_promotion(promotion_id=promotion_id)
            if promotion.state in OPEN and promotion.expires_at <= clock.now():
                move(_CONTROLLER, promotion, "expire", outcome="Nobody decided in time.")
                count += 1
    return count


def dismiss_approvals(promotion: Promotion, *, reason: str) -> None:
    """Votes given so far are bound to something that changed; say so and wait for new ones."""
    move(_CONTROLLER, promotion, "dismiss_approvals", reason=reason)


def _deployment(release: Release, environment: Environment) -> Deployment:
    row, _ = Deployment.objects.get_or_create(
        project_id=release.project_id, feature=release.feature, environment=environment
    )
    return lock_deployment(row.pk)


def _require_reachable(release: Release, deployment: Deployment, policy: Policy) -> None:
    if deployment.stable_release_id == release.pk:
        raise Conflict(
            f"{release} is live in {deployment.environment.slug} already.",
            code="already_live",
            field="release",
        )
    if _missing_prior(release, deployment, policy):
        raise Conflict(
            f"{deployment.environment.slug} takes only what is live in {policy.requires_live_in}. Promote it there first.",
            code="not_live_before",
            field="release",
        )


def _missing_prior(release: Release, deployment: Deployment, policy: Policy) -> bool:
    if policy.requires_live_in is None:
        return False
    prior = Deployment.objects.filter(
        feature_id=deployment.feature_id, environment__slug=policy.requires_live_in, stable_release=release
    )
    return not prior.exists()


def _plan(policy: Policy, plan: dict[str, Any] | None, environment: Environment) -> dict[str, Any]:
    if plan is None:
        return dict(policy.plan.to_dict()) if policy.plan else {"steps": []}
    if policy.plan is None:
        raise InvalidInput(f"{environment.slug} takes releases whole; leave the plan out.", field="plan")
    chosen = Plan.from_dict(plan, field="plan")
    validate_plan(chosen, EnvironmentKind(environment.kind))
    return dict(chosen.to_dict())


def _worst(verdicts: list[Verdict]) -> Verdict:
    order = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE)
    return next((verdict for verdict in order if verdict in verdicts), Verdict.PASS)


def _why(rows: list[dict[str, str]]) -> str:
    words = {"fail": "did not pass", "error": "could not run", "inconclusive": "was inconclusive"}
    return (
        "; ".join(
            f"the {row['gate']} gate {words[row['verdict']]}" for row in rows if row["verdict"] != "pass"
        ).capitalize()
        + "."
    )
