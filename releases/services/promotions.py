"""What people ask of a promotion: to begin, to follow another plan, to be checked again, to end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import audit, clock, machines
from promptstore.core.actors import Actor, ActorKind
from promptstore.core.digests import digest_json
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from promptstore.core.models import Environment
from promptstore.core.permissions import require
from releases.models import Deployment, Promotion, Release
from releases.plans import EnvironmentKind, Plan, require_shadow, validate_plan
from releases.policies import Policy
from releases.selectors.policies import policy_in_force, policy_of
from releases.services.checks import CHECKER, begin_checks
from releases.services.deployments import is_where_it_must_be_first
from releases.services.locks import lock_deployment, lock_promotion
from releases.services.moves import move_promotion
from releases.services.votes import dismiss_approvals
from releases.states import NOT_STARTED, PROMOTION, PromotionState


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
    yet live where the policy wants it first, or has an open promotion there, and for a policy whose plan has no shadow step
    where there must be one (`no_shadow`).
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
        begin_checks(CHECKER, promotion, reason="")
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
        if promotion.state not in NOT_STARTED:
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
        move_promotion(actor, promotion, "cancel", outcome=reason or "Cancelled.")
    return promotion


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
    if not is_where_it_must_be_first(release, deployment, policy):
        raise Conflict(
            f"{deployment.environment.slug} takes only what is live in {policy.requires_live_in}. Promote it there first.",
            code="not_live_before",
            field="release",
        )


def _plan(policy: Policy, plan: dict[str, Any] | None, environment: Environment) -> dict[str, Any]:
    kind = EnvironmentKind(environment.kind)
    if plan is None:
        if policy.plan is None:
            return {"steps": []}
        try:
            require_shadow(policy.plan, kind)
        except InvalidInput as error:
            raise Conflict(
                f"The policy of {environment.slug} is from before shadow steps. An owner adds one to its plan. {error.detail}",
                code="no_shadow",
                field="plan",
            ) from error
        return dict(policy.plan.to_dict())
    if policy.plan is None:
        raise InvalidInput(f"{environment.slug} takes releases whole; leave the plan out.", field="plan")
    chosen = Plan.from_dict(plan, field="plan")
    validate_plan(chosen, kind)
    require_shadow(chosen, kind)
    return dict(chosen.to_dict())
