"""What must hold however often something was killed."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from django.db.models import Sum

from promptstore.core import audit
from promptstore.core.models import AuditEvent, AuditPending, OutboxMessage
from releases.models import Rollout, RolloutDecision
from serving.models import Document, Root
from telemetry.models import Inference, Rollup
from tests.chaos.instance import Instance, eventually
from tests.chaos.load import THREADS, Load

DOWN = {"roll_back", "step_down", "cut", "finish_rollback"}


def check_decisions(rollout: Rollout) -> list[RolloutDecision]:
    """None lost, none twice: numbers are dense, states and weights chain, and steps bound the weights."""
    decisions = list(rollout.decisions.order_by("number"))
    assert [decision.number for decision in decisions] == list(range(1, len(decisions) + 1))
    first, last = decisions[0], decisions[-1]
    assert (first.kind, first.from_state, first.from_weight_bp) == ("start", "pending", 0)
    assert (last.to_state, last.to_weight_bp) == (rollout.state, rollout.weight_bp)
    for before, after in pairwise(decisions):
        assert (after.from_state, after.from_weight_bp) == (before.to_state, before.to_weight_bp), (
            after.number
        )
        assert after.at >= before.at
    steps = [step["weight_bp"] for step in rollout.promotion.plan["steps"]]
    for decision in decisions:
        assert decision.to_weight_bp <= steps[decision.step_index], decision.number
        if decision.kind in DOWN:
            assert decision.to_weight_bp <= decision.from_weight_bp, decision.number
    ups = [decision.to_weight_bp for decision in decisions if decision.kind in {"start", "advance"}]
    assert ups == steps[: len(ups)], "each step once and in order"
    return decisions


def check_audit(rollout: Rollout) -> None:
    """One event for each decision, sealed into a chain that verifies."""
    told = AuditEvent.objects.filter(object_type="rollout", object_id=str(rollout.id)).order_by("id")
    assert [event.after["decision"] for event in told if event.after] == [
        str(decision.id) for decision in rollout.decisions.order_by("number")
    ]
    eventually(lambda: not AuditPending.objects.exists(), "everything is sealed")
    found = audit.verify()
    assert found.ok, found.faults


def check_published(rollout: Rollout, *, kills: int = 0) -> None:
    """A root for each move, in order. A kill between commit and publication may let two moves share one."""
    owed = OutboxMessage.objects.filter(topic="snapshot.publish", done_at__isnull=True)
    eventually(lambda: not owed.exists(), "what was moved is published, also for who was killed", within_s=15)
    published = list(dict.fromkeys(_published(rollout)))
    decided = list(
        dict.fromkeys(
            (decision.to_state, decision.to_weight_bp)
            for decision in rollout.decisions.order_by("number")
            if decision.to_state in {"running", "rolling_back"}
        )
    )
    remaining = iter(decided)
    assert all(move in remaining for move in published), (published, decided)
    assert len(decided) - len(published) <= kills, (published, decided)
    generations = list(
        Root.objects.filter(environment=rollout.deployment.environment)
        .order_by("id")
        .values_list("generation", flat=True)
    )
    assert generations == list(range(1, len(generations) + 1))


def _published(rollout: Rollout) -> list[tuple[str, int]]:
    moves = []
    for root in Root.objects.filter(environment=rollout.deployment.environment).order_by("id"):
        digest = json.loads(bytes(root.body))["documents"].get(rollout.deployment.feature.slug)
        if digest is None:
            continue  # from before the feature was deployed
        document: dict[str, Any] = json.loads(bytes(Document.objects.get(pk=digest).body))
        shown = document["rollout"]
        if shown and shown["id"] == str(rollout.id) and shown["state"] in {"running", "rolling_back"}:
            moves.append((shown["state"], shown["candidate_bp"]))
    return moves


def check_inferences(instance: Instance, load: Load, *, node_kills: int = 0) -> None:
    """Each answered call is stored once and rolled up once, copies of calls apart.

    A killed node loses at most what was between answer and disk.
    """
    load.stop()
    eventually(lambda: instance.ready()["spool_bytes"] == 0, "the spool is empty")
    rows = Inference.objects.filter(session=load.session, paired_with=None)
    stored = {str(pk) for pk in rows.values_list("pk", flat=True)}
    missing, extra = load.answered.keys() - stored, stored - load.answered.keys()
    assert len(missing) <= node_kills * THREADS, missing
    assert len(extra) <= load.broken + len(load.refused), "stored, and never asked for"
    assert Rollup.objects.aggregate(total=Sum("count"))["total"] == Inference.objects.count()
