"""A few answers of each arm, as they were stored: redacted before they touched a disk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from promptstore.core import clock
from releases.bundle.archive import json_lines
from releases.bundle.people import without_addresses
from releases.models import Release, Rollout
from releases.routing import Arm
from telemetry.models import Inference

PER_ARM: Final = 20
MAX_ROLLOUTS: Final = 20
_RECENT: Final = timedelta(days=7)


def sample_lines(release: Release, moved: list[Rollout]) -> bytes:
    """The latest `PER_ARM` inferences of each arm of the latest rollouts, and of the release anywhere within 7 days."""
    found: dict[Any, Inference] = {}
    rows = Inference.objects.select_related("environment").filter(project_id=release.project_id)
    for rollout in moved[-MAX_ROLLOUTS:]:
        for arm in Arm:
            latest = rows.filter(rollout_id=rollout.pk, arm=arm).order_by("-at")[:PER_ARM]
            found.update({row.pk: row for row in latest})
    recent = rows.filter(
        environment__project_id=release.project_id,
        feature=release.feature.slug,
        release_digest=release.digest,
        at__gte=clock.now() - _RECENT,
    )
    found.update({row.pk: row for row in recent.order_by("-at")[:PER_ARM]})
    return json_lines([_sample(row) for row in sorted(found.values(), key=lambda row: (row.at, row.pk))])


def _sample(row: Inference) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "at": row.at.isoformat(),
        "environment": row.environment.slug,
        "arm": row.arm,
        "release": {"version": row.release_version, "digest": row.release_digest},
        "rollout": str(row.rollout_id) if row.rollout_id else None,
        "prompt": f"{row.prompt}@{row.prompt_version}",
        "model": f"{row.model}@{row.model_version}",
        "status": row.status,
        "error_code": row.error_code,
        "latency_ms": row.latency_ms,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost_usd_nanos": row.cost_usd_nanos,
        "policy_reasons": row.policy_reasons,
        "output_valid": row.output_valid,
        "variables": without_addresses(row.variables_redacted),
        "output": without_addresses(row.output_redacted),
    }
