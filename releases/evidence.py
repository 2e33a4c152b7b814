"""What an incident shows of a breach: the rules, the series of their metrics with the limit, and sample inferences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from promptstore.core import clock
from releases.measuring import SeriesReader, load_series
from releases.models import Rollout
from releases.routing import Arm
from releases.rules import RuleSpec, evaluate, longest_window_s, metrics_used
from reviews.selectors import found_bad
from telemetry.metrics import chart, metric_by_name
from telemetry.models import Inference

SAMPLES = 5


def incident_evidence(rollout: Rollout, broken: list[RuleSpec]) -> dict[str, Any]:
    """JSON for `Incident.evidence`: `rules`, `charts` by metric, `samples` (redacted, worst first), and what is compared."""
    now = clock.now()
    longest = max((longest_window_s(rule.rule) for rule in broken), default=600)
    since = max(now - timedelta(seconds=longest * 3), rollout.created_at - timedelta(minutes=10))
    series = load_series(rollout, since=since, until=now)
    metrics = sorted({name for rule in broken for name in metrics_used(rule.rule)})
    arms = [Arm.CANDIDATE.value, Arm.STABLE.value]
    return {
        "candidate": {"release": str(rollout.candidate), "digest": rollout.candidate.digest},
        "stable": {"release": str(rollout.baseline), "digest": rollout.baseline.digest}
        if rollout.baseline
        else None,
        "weight_bp": rollout.weight_bp,
        "step": rollout.step_index + 1,
        "rules": [
            {
                **rule.to_dict(),
                "evaluation": evaluate(
                    rule.rule, SeriesReader(series, now), min_samples=rule.min_samples
                ).to_dict(),
            }
            for rule in broken
        ],
        "charts": {name: chart(series, name, arms) for name in metrics},
        "samples": [sample for name in metrics for sample in _samples(rollout, name)][:SAMPLES],
    }


def _samples(rollout: Rollout, metric: str) -> list[dict[str, Any]]:
    exhibit = metric_by_name(metric).exhibit
    arm = rollout.step.judged_arm
    rows = Inference.objects.filter(rollout_id=rollout.id, arm=arm, **exhibit.where)
    if exhibit.question:
        bad = found_bad(project_id=rollout.project_id, rollout_id=rollout.pk, question=exhibit.question)
        rows = rows.filter(pk__in=bad)
    return [
        {
            "id": str(row.id),
            "at": row.at.isoformat(),
            "metric": metric,
            "status": row.status,
            "latency_ms": row.latency_ms,
            "policy_reasons": row.policy_reasons,
            "variables": row.variables_redacted,
            "output": row.output_redacted,
        }
        for row in rows.order_by(*exhibit.order_by)[:SAMPLES]
    ]
