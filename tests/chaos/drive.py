"""Runs inside an instance's environment: makes an edit, has it checked and approved, and prints the rollout it started.

`python -m tests.chaos.drive start` · `… report ROLLOUT_ID`
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptstore.settings")
django.setup()

from django.db.models import Sum  # noqa: E402 - after django.setup()

from promptstore.core import audit, keys  # noqa: E402
from promptstore.core.models import AuditEvent, Environment, Project, User  # noqa: E402
from promptstore.demo import content  # noqa: E402
from registry.models import PromptDraft  # noqa: E402
from registry.services import drafts, publishing  # noqa: E402
from releases import services  # noqa: E402
from releases.models import Promotion, Rollout  # noqa: E402
from telemetry.models import Inference, Rollup  # noqa: E402

STEPS = [200, 1_000, 5_000, 10_000]
POLICY: dict[str, Any] = content.PRODUCTION_POLICY | {
    "requires_live_in": None,
    "plan": {"steps": [{"weight_bp": weight, "min_duration_s": 3, "min_samples": 3} for weight in STEPS]},
    "rules": [
        {**rule, "when": rule["when"].rsplit(" for ", 1)[0] + " for 5s", "min_samples": 1}
        for rule in content.PRODUCTION_POLICY["rules"]
        if rule["id"] != "cost"
    ]
    + [{"id": "cost", "when": "cost_per_1k_requests_usd > 50usd for 5s", "severity": "P3", "action": "hold", "min_samples": 1}],
    "rollback_interval_s": 2,
}  # fmt: skip


def actor(name: str) -> Any:
    return keys.actor_for_user(User.objects.get(username=name))


def wait(check: Callable[[], bool], what: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)  # polls what other processes bring about


def start() -> dict[str, Any]:
    project = Project.objects.get(slug="acme")
    production = Environment.objects.get(project=project, slug="production")
    services.change_policy(
        actor=actor("owner"), project_id=project.id, environment_id=production.id, body=POLICY, reason="Seconds."
    )
    draft = PromptDraft.objects.get(prompt__name=content.PROMPT)
    body = {**draft.body, "messages": [*draft.body["messages"]]}
    body["messages"][0] = {"role": "system", "content": f"Suggest one entry as JSON. Edit {draft.revision}."}
    draft = drafts.save_draft(actor=actor("writer"), draft_id=draft.id, revision=draft.revision, body=body)
    version = publishing.publish_version(actor=actor("writer"), draft_id=draft.id, revision=draft.revision)
    release = services.compose_release(
        actor=actor("engineer"), project_id=project.id, feature=content.FEATURE,
        prompts={content.PROMPT: version.version}, models={"primary": f"{content.MODEL}@1.0.0"},
        config=f"{content.CONFIG}@1.0.0",
    )  # fmt: skip
    promotion = services.request_promotion(
        actor=actor("engineer"), project_id=project.id, release_id=release.id, environment_id=production.id
    )
    state = lambda: Promotion.objects.get(pk=promotion.pk).state  # noqa: E731
    wait(lambda: state() != "checking", "the checks end")
    evidence = promotion.evidence.get()
    assert evidence.verdict == "pass", evidence.reports
    services.approve_promotion(
        actor=actor("approver"), project_id=project.id, promotion_id=promotion.id,
        release_digest=release.digest, evidence_digest=evidence.digest,
    )  # fmt: skip
    wait(lambda: Rollout.objects.filter(promotion=promotion).exists(), "the rollout starts")
    rollout = Rollout.objects.get(promotion=promotion)
    return {"rollout": str(rollout.id), "version": release.version}


def report(rollout_id: str) -> dict[str, Any]:
    """What the database says of a rollout, and of everything that must hold beside it."""
    rollout = Rollout.objects.get(pk=rollout_id)
    decisions = list(rollout.decisions.order_by("number"))
    audit.seal_pending()
    verified = audit.verify()
    return {
        "state": rollout.state,
        "weight_bp": rollout.weight_bp,
        "decisions": [
            [row.number, row.kind, row.from_weight_bp, row.to_weight_bp, row.step_index] for row in decisions
        ],
        "audit_events": AuditEvent.objects.filter(
            object_type="rollout", object_id=rollout_id, action__startswith="rollout."
        ).count(),
        "live": str(rollout.deployment.stable_release),
        "inferences": [str(pk) for pk in Inference.objects.values_list("pk", flat=True)],
        "rolled_up": Rollup.objects.aggregate(Sum("count"))["count__sum"] or 0,
        "audit_faults": verified.faults,
        "live_rollouts": Rollout.objects.filter(state__in=["running", "rolling_back", "paused"]).count(),
    }


if __name__ == "__main__":
    answer = start() if sys.argv[1] == "start" else report(sys.argv[2])
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
