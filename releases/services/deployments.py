"""What is stable in a deployment: by a promotion, by a return to what was live before, or as it was found."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from promptstore.core import audit
from promptstore.core.actors import Actor, ActorKind, system
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from promptstore.core.permissions import require
from releases.models import Deployment, LivePeriod, Promotion, Release, Rollout
from releases.models.rollouts import LIVE
from releases.policies import Policy
from releases.services.locks import lock_deployment, lock_rollout
from releases.services.moves import move_promotion, move_rollout, touch
from releases.states import NOT_STARTED, PromotionState, RolloutState

_CONTROLLER = system("controller")


def go_live(actor: Actor, promotion: Promotion) -> None:
    """Make a promotion's release the stable one, under the caller's lock on its deployment."""
    _set_stable(promotion.deployment, promotion.release, how=LivePeriod.How.PROMOTED)
    move_promotion(actor, promotion, "complete", outcome=f"Live in {promotion.deployment.environment.slug}.")
    overtaken = (
        Promotion.objects.select_for_update().filter(deployment=promotion.deployment).exclude(pk=promotion.pk)
    )
    for other in overtaken.filter(state__in=[PromotionState.LIVE, *NOT_STARTED]):
        move_promotion(_CONTROLLER, other, "supersede", outcome=f"{promotion.release} went live.")
    touch(promotion.deployment)


def return_to_release(
    *, actor: Actor, project_id: UUID, deployment_id: UUID, release_id: UUID, reason: str
) -> Deployment:
    """Serve a release that was live in this deployment before, to everyone, at once.

    The one way to all traffic without a canary. A rollout that is live ends. Raises `Conflict` for a release that never was
    live here.
    """
    if not reason.strip():
        raise InvalidInput("Say why: the reason is kept in the audit log.", field="reason")
    with transaction.atomic():
        found = Deployment.objects.filter(pk=deployment_id, project_id=project_id).first()
        if found is None:
            raise NotFound("There is no such deployment in this project.", field="deployment")
        require(actor, "rollout.roll_back", project_id=project_id)
        deployment = lock_deployment(found.pk)
        release = Release.objects.filter(pk=release_id, project_id=project_id).first()
        if release is None or not LivePeriod.objects.filter(deployment=deployment, release=release).exists():
            raise Conflict(
                "This release was never live here; promote it instead.", code="never_live", field="release"
            )
        if (
            deployment.stable_release_id == release.pk
            and not Rollout.objects.filter(deployment=deployment, state__in=LIVE).exists()
        ):
            return deployment
        before = str(deployment.stable_release) if deployment.stable_release else None
        for rollout_id in Rollout.objects.filter(deployment=deployment, state__in=LIVE).values_list(
            "pk", flat=True
        ):
            _end(actor, lock_rollout(rollout_id=rollout_id), reason)
            deployment.refresh_from_db(fields=["generation"])
        _set_stable(deployment, release, how=LivePeriod.How.RETURNED, reason=reason)
        audit.record(
            actor=actor,
            action="deployment.returned",
            target=deployment,
            project_id=project_id,
            before={"stable": before},
            after={"stable": str(release)},
            reason=reason,
        )
        touch(deployment)
    return deployment


def adopt_release(*, actor: Actor, deployment_id: UUID, release_id: UUID, reason: str) -> Deployment:
    """Record what a feature already serves when Promptstore takes it over; only the product's own set-up may do it.

    Refused for people and keys, and wherever a release was live before: it must not become a way around the canary.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Only the set-up of an instance adopts a release; promote it instead.")
    with transaction.atomic():
        deployment = lock_deployment(deployment_id)
        release = Release.objects.get(
            pk=release_id, project_id=deployment.project_id, feature_id=deployment.feature_id
        )
        if LivePeriod.objects.filter(deployment=deployment).exists():
            raise Conflict("A release was live here before; promote this one instead.", code="already_live")
        _set_stable(deployment, release, how=LivePeriod.How.ADOPTED, reason=reason)
        audit.record(
            actor=actor,
            action="deployment.adopted",
            target=deployment,
            project_id=deployment.project_id,
            after={"stable": str(release)},
            reason=reason,
        )
        touch(deployment)
    return deployment


def is_where_it_must_be_first(release: Release, deployment: Deployment, policy: Policy) -> bool:
    """Whether the release is live in the environment that the policy wants it in before; true where it wants none."""
    if policy.requires_live_in is None:
        return True
    return Deployment.objects.filter(
        feature_id=deployment.feature_id, environment__slug=policy.requires_live_in, stable_release=release
    ).exists()


def _set_stable(deployment: Deployment, release: Release, *, how: str, reason: str = "") -> None:
    deployment.stable_release = release
    LivePeriod.objects.create(
        project_id=deployment.project_id, deployment=deployment, release=release, how=how, reason=reason
    )


def _end(actor: Actor, rollout: Rollout, reason: str) -> None:
    action = "cut" if rollout.state == RolloutState.ROLLING_BACK else "abort"
    move_rollout(actor, rollout, action, weight_bp=0, reason=reason)
    move_promotion(actor, rollout.promotion, "roll_back", outcome=reason)
