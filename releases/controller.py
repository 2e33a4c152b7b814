"""The rollout controller: measures, decides, moves. One tick looks at every rollout that carries traffic.

A tick may die at any line and run beside another: each rollout is moved in a transaction of its own under its deployment's lock,
taken with SKIP LOCKED, and `decide` is a pure function of what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from incidents.services import open_incident
from promptstore.core import clock
from promptstore.core.actors import system
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
    StopMirroring,
    decide,
)
from releases.drift import drifts_behind, named_causes
from releases.evidence import incident_evidence
from releases.measurements import keep_measurements
from releases.measuring import controller_view, measure, samples_in_steps, spent_in_steps
from releases.models import Deployment, Promotion, Rollout
from releases.rules import Evaluation, RuleSpec
from releases.services.locks import lock_rollout
from releases.services.moves import move_rollout
from releases.services.rollouts import begin_rollback, complete_rollout, finish
from releases.services.starting import start_promotion
from releases.states import GOING_UP, PromotionState, RolloutState

log = structlog.get_logger("controller")
_CONTROLLER = system("controller")
_CARRYING = [*GOING_UP, RolloutState.ROLLING_BACK]
_jumps = clock.JumpWatch()


def tick() -> int:
    """Start what is approved and waits, then evaluate and move every rollout that carries traffic; returns how many moved."""
    with _jumps.look() as jumped_at:
        if jumped_at is not None:
            _start_steps_anew(entered_before=jumped_at)
    for promotion_id in (
        Promotion.objects.filter(state=PromotionState.APPROVED).order_by("id").values_list("pk", flat=True)
    ):
        if start_promotion(promotion_id=promotion_id):
            reach(KillPoint.CONTROLLER_AFTER_START)
    due = Rollout.objects.filter(state__in=_CARRYING).order_by("id").values_list("pk", "deployment_id")
    return sum(_tick_one(rollout_id, deployment_id) for rollout_id, deployment_id in _to_move(list(due)))


def _start_steps_anew(*, entered_before: datetime) -> None:
    """The clock was set forwards: what it calls the age of a step has not passed, so time and samples count from now on."""
    going_up = Rollout.objects.filter(state__in=GOING_UP, step_entered_at__lt=entered_before)
    for rollout_id in going_up.values_list("pk", flat=True):
        with transaction.atomic():
            rollout = lock_rollout(rollout_id=rollout_id)
            if rollout.state in _CARRYING and rollout.step_entered_at < entered_before:
                rollout.step_entered_at = clock.now()
                rollout.save(update_fields=["step_entered_at"])
                log.warning("rollout.step_started_anew", rollout_id=str(rollout_id), reason="clock_jumped")


def _to_move(due: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    """Those of `due` that will not hold, found and measured together: most ticks of most rollouts end here.

    Nothing is moved yet; whoever moves one looks again, under its lock and on its own.
    """
    try:
        with transaction.atomic():
            # Several locks at once, and none that is waited for: no order of locks can deadlock with this.
            free = Deployment.objects.select_for_update(skip_locked=True).filter(pk__in=[d for _, d in due])
            rollouts = _rollouts(due, set(free.values_list("pk", flat=True)))
            now = clock.now()
            found = list(zip(rollouts, measure(rollouts, now), strict=True))
            keep_measurements([(rollout, measured.evaluations) for rollout, measured in found], now)
            samples, spent = samples_in_steps(rollouts), spent_in_steps(rollouts)
            moving = [
                (rollout.pk, rollout.deployment_id)
                for rollout, measured in found
                if not isinstance(
                    decide(
                        controller_view(
                            rollout,
                            measured.policy,
                            measured.rules,
                            samples[rollout.pk],
                            spent.get(rollout.pk, 0),
                        ),
                        measured.evaluations,
                        now,
                    ),
                    Hold,
                )
            ]
            reach(KillPoint.CONTROLLER_BEFORE_MEASURED)
    except Exception:  # whatever it is: only the rollout that has the trouble may be kept from moving
        log.exception("rollout.joint_measuring_failed")
        return list(due)
    reach(KillPoint.CONTROLLER_AFTER_MEASURED)
    return moving


def _rollouts(due: Sequence[tuple[UUID, UUID]], deployments: Collection[UUID]) -> list[Rollout]:
    """Those of `due` in `deployments` that carry traffic, with what measuring and deciding read of their neighbours."""
    return list(
        Rollout.objects.select_related(
            "deployment__feature", "promotion__policy__environment", "candidate", "baseline"
        )
        .filter(pk__in=[rollout_id for rollout_id, _ in due], deployment_id__in=deployments)
        .filter(state__in=_CARRYING)
        .order_by("id")
    )


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
    [measured] = measure([rollout], now)
    keep_measurements([(rollout, measured.evaluations)], now)
    decision = decide(controller_view(rollout, measured.policy, measured.rules), measured.evaluations, now)
    if isinstance(decision, Hold):
        return False
    _apply(rollout, decision, measured.rules, measured.evaluations)
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
        case StopMirroring():
            move_rollout(_CONTROLLER, rollout, "stop_mirroring", sentences=said, measurements=measured)
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
    causes, drift = named_causes(drifts_behind(rollout))
    incident = open_incident(
        actor=_CONTROLLER,
        project_id=rollout.project_id,
        environment_id=deployment.environment_id,
        feature_id=deployment.feature_id,
        title=f"{rollout.candidate} is rolled back in {deployment.environment.slug}",
        summary=" ".join((*said, *causes)),
        severity=severity,
        dedup_key=f"rollout-{rollout.id}",
        rollout_id=rollout.id,
        release_digest=rollout.candidate.digest,
        evidence=incident_evidence(rollout, broken) | drift,
    )
    rollout.incident_id = incident.id
