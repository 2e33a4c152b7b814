"""The rollout controller: measures, decides, moves. One tick looks at every rollout that carries traffic.

A tick may die at any line and run beside another: each rollout is moved in a transaction of its own under its deployment's lock,
taken with SKIP LOCKED, and `decide` is a pure function of what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from incidents.services import open_incident
from promptstore.core import clock
from promptstore.core.actors import system
from promptstore.core.digests import digest_json
from promptstore.core.killpoints import KillPoint, reach
from releases.decide import (
    Advance,
    Complete,
    Cut,
    Decision,
    FinishRollback,
    Hold,
    StartRollback,
    StepDown,
    decide,
)
from releases.evidence import incident_evidence
from releases.measuring import applicable_rules, controller_view, measure
from releases.models import Deployment, Measurement, Promotion, Rollout
from releases.rules import Evaluation, RuleSpec
from releases.selectors.policies import policy_of
from releases.services.locks import lock_rollout
from releases.services.moves import move_rollout
from releases.services.promotions import start_promotion
from releases.services.rollouts import begin_rollback, complete_rollout, finish
from releases.states import PromotionState, RolloutState

log = structlog.get_logger("controller")
_CONTROLLER = system("controller")
_CARRYING = [RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.ROLLING_BACK]


def tick() -> int:
    """Start what is approved and waits, then evaluate and move every rollout that carries traffic; returns how many moved."""
    for promotion_id in (
        Promotion.objects.filter(state=PromotionState.APPROVED).order_by("id").values_list("pk", flat=True)
    ):
        if start_promotion(promotion_id=promotion_id):
            reach(KillPoint.CONTROLLER_AFTER_START)
    due = Rollout.objects.filter(state__in=_CARRYING).order_by("id").values_list("pk", "deployment_id")
    return sum(_tick_one(rollout_id, deployment_id) for rollout_id, deployment_id in due)


def _tick_one(rollout_id: UUID, deployment_id: UUID) -> bool:
    try:
        with transaction.atomic():
            if not Deployment.objects.select_for_update(skip_locked=True).filter(pk=deployment_id).exists():
                return False  # a person or another controller is at it
            rollout = lock_rollout(rollout_id=rollout_id)
            if rollout.state not in _CARRYING:
                return False
            moved = _evaluate(rollout)
            reach(KillPoint.CONTROLLER_BEFORE_COMMIT)
    except DatabaseError:
        # One rollout's trouble (a deadlock, a lost connection) must not keep the others from moving down.
        log.exception("rollout.tick_failed", rollout_id=str(rollout_id))
        return False
    reach(KillPoint.CONTROLLER_AFTER_COMMIT)
    return moved


def _evaluate(rollout: Rollout) -> bool:
    now = clock.now()
    policy = policy_of(rollout.promotion.policy)
    rules = applicable_rules(rollout, policy)
    evaluations = measure(rollout, rules, now)
    _keep_measurements(rollout, evaluations, now)
    decision = decide(controller_view(rollout, policy, rules), evaluations, now)
    if isinstance(decision, Hold):
        return False
    _apply(rollout, decision, rules, evaluations)
    return True


def _apply(
    rollout: Rollout, decision: Decision, rules: tuple[RuleSpec, ...], evaluations: Mapping[str, Evaluation]
) -> None:
    measured = tuple({"rule": rule_id, **evaluation.to_dict()} for rule_id, evaluation in evaluations.items())
    said = decision.reasons
    match decision:
        case Advance():
            move_rollout(
                _CONTROLLER,
                rollout,
                "advance",
                weight_bp=decision.weight_bp,
                step_index=decision.step_index,
                sentences=said,
                measurements=measured,
            )
        case Complete():
            complete_rollout(_CONTROLLER, rollout, sentences=said, measurements=measured)
        case StartRollback() | Cut():
            _open_incident(rollout, decision.rule_ids, rules, said)
            begin_rollback(
                _CONTROLLER, rollout, at_once=isinstance(decision, Cut), sentences=said, measurements=measured
            )
        case StepDown():
            move_rollout(
                _CONTROLLER,
                rollout,
                "step_down",
                weight_bp=decision.weight_bp,
                sentences=said,
                measurements=measured,
            )
        case FinishRollback():
            move_rollout(
                _CONTROLLER, rollout, "finish_rollback", weight_bp=0, sentences=said, measurements=measured
            )
            finish(_CONTROLLER, rollout, "Rolled back by the rules.")
        case Hold():
            pass


def _open_incident(
    rollout: Rollout, rule_ids: tuple[str, ...], rules: tuple[RuleSpec, ...], said: tuple[str, ...]
) -> None:
    broken = [rule for rule in rules if rule.id in rule_ids]
    severity = min((rule.severity.value for rule in broken), default="P1")
    deployment = rollout.deployment
    incident = open_incident(
        actor=_CONTROLLER,
        project_id=rollout.project_id,
        environment_id=deployment.environment_id,
        feature_id=deployment.feature_id,
        title=f"{rollout.candidate} is rolled back in {deployment.environment.slug}",
        summary=" ".join(said),
        severity=severity,
        dedup_key=f"rollout-{rollout.id}",
        rollout_id=rollout.id,
        release_digest=rollout.candidate.digest,
        evidence=incident_evidence(rollout, broken),
    )
    rollout.incident_id = incident.id


def _keep_measurements(rollout: Rollout, evaluations: Mapping[str, Evaluation], now: datetime) -> None:
    """Store each evaluation whose data or verdict is new since the last one; ages of windows alone are not news."""
    for rule_id, evaluation in evaluations.items():
        body = evaluation.to_dict()
        last = (
            Measurement.objects.filter(rollout=rollout, rule_id=rule_id)
            .order_by("-id")
            .values_list("body", flat=True)
            .first()
        )
        if last is None or _news(last) != _news(body):
            Measurement.objects.create(
                project_id=rollout.project_id,
                rollout=rollout,
                rule_id=rule_id,
                at=now,
                verdict=evaluation.verdict.value,
                body=body,
            )


def _news(body: Mapping[str, Any]) -> str:
    def plain(window: Mapping[str, Any] | None) -> Any:
        return window and [window["value"], window["n"]]

    conditions = [[c["verdict"], plain(c["candidate"]), plain(c["baseline"])] for c in body["conditions"]]
    return digest_json([body["verdict"], conditions])
