from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from evals.services import check_params
from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.digests import digest_json
from promptstore.core.errors import DomainError, NotFound, StaleWrite
from promptstore.core.models import Environment
from promptstore.core.permissions import require
from releases.models import EnvironmentPolicy, Promotion
from releases.plans import EnvironmentKind, require_shadow
from releases.policies import Policy
from releases.services.checks import begin_checks
from releases.services.locks import lock_promotion
from releases.states import PromotionState


@transaction.atomic
def change_policy(
    *,
    actor: Actor,
    project_id: UUID,
    environment_id: UUID,
    body: Mapping[str, Any],
    reason: str = "",
    expected_number: int | None = None,
) -> EnvironmentPolicy:
    """Put a new version of an environment's policy in force, if `expected_number` still is (0: none yet; `None`: whatever is).

    Promotions that wait for approval, or have it and have not started, are checked anew under it: votes given under the
    old policy no longer count. Rollouts under way keep the policy they were approved with. Raises `StaleWrite` (412, with the
    number in force and who put it there), `InvalidInput`, `NotFound`.
    """
    require(actor, "policy.manage", project_id=project_id)
    environment = (
        Environment.objects.select_for_update().filter(pk=environment_id, project_id=project_id).first()
    )
    if environment is None:
        raise NotFound("There is no such environment in this project.", field="environment")
    current = EnvironmentPolicy.objects.filter(environment=environment).order_by("-number").first()
    if expected_number is not None:
        _require_number(current, expected_number)
    checked = Policy.from_dict(body, kind=EnvironmentKind(environment.kind))
    if checked.plan is not None:
        # Not a rule of `Policy`: what was put in force before there were shadow steps is still read.
        require_shadow(checked.plan, EnvironmentKind(environment.kind))
    _check_gates(project_id, checked)
    digest = digest_json(dict(body))
    if current and current.digest == digest:
        return current
    policy = EnvironmentPolicy.objects.create(
        project_id=project_id,
        environment=environment,
        number=(current.number if current else 0) + 1,
        body=dict(body),
        digest=digest,
        changed_by_id=actor.user_id,
    )
    audit.record(
        actor=actor,
        action="policy.changed",
        target=policy,
        project_id=project_id,
        before=current.body if current else None,
        after=policy.body,
        reason=reason,
    )
    _check_open_promotions(actor, policy)
    return policy


def _check_gates(project_id: UUID, policy: Policy) -> None:
    """Whether each gate can run with its parameters; a refusal names the member of the policy."""
    for gate in policy.gates:
        try:
            check_params(project_id=project_id, name=gate, params=policy.gate_params.get(gate, {}))
        except DomainError as error:
            if error.field and error.field.startswith("params"):
                error.field = f"gate_params.{gate}{error.field.removeprefix('params')}"
            raise


def _require_number(current: EnvironmentPolicy | None, expected: int) -> None:
    number = current.number if current else 0
    if number == expected:
        return
    who = str(current.changed_by) if current and current.changed_by else "somebody"
    raise StaleWrite(
        f"{who} put version {number} in force after you opened version {expected}. Nothing was overwritten: compare it with "
        "yours, then save again."
        if current
        else "There is no policy in this environment yet: nothing but version 0 can be replaced.",
        field="number",
        extra={
            "current_revision": number,
            "saved_by": who,
            "saved_at": current.created_at.isoformat() if current else None,
        },
    )


def _check_open_promotions(actor: Actor, policy: EnvironmentPolicy) -> None:
    open_states = [
        PromotionState.CHECKING,
        PromotionState.BLOCKED,
        PromotionState.AWAITING_APPROVAL,
        PromotionState.APPROVED,
    ]
    waiting = Promotion.objects.filter(
        deployment__environment_id=policy.environment_id, state__in=open_states
    )
    for promotion_id in waiting.order_by("deployment_id", "id").values_list("pk", flat=True):
        promotion = lock_promotion(promotion_id=promotion_id)
        if promotion.state not in open_states:
            continue
        promotion.policy = policy
        begin_checks(actor, promotion, reason=f"The policy of {policy.environment.slug} changed.")
