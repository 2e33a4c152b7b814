"""What an arm of a rollout has cost since a moment, at a cost of its own that does not grow with the traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from django.db import connection

from telemetry.minutes import Source

# Whole minutes: what the minute of `since` cost before it counts too, so that a budget is never exceeded by rounding.
_COSTS = """
SELECT source.rollout_id, sum(rollup.cost_usd_nanos)::bigint
FROM json_to_recordset(%s)
  AS source (environment_id uuid, feature text, rollout_id uuid, since timestamptz, release_digest text)
JOIN telemetry_rollup AS rollup
  ON rollup.environment_id = source.environment_id AND rollup.feature = source.feature
  AND rollup.rollout_id = source.rollout_id AND rollup.release_digest = source.release_digest
  AND rollup.arm = %s AND rollup.minute >= date_trunc('minute', source.since)
GROUP BY 1
"""


def costs_of(sources: Sequence[tuple[Source, str]], *, arm: str) -> Mapping[UUID, int]:
    """Nano-dollars that a release (by digest) cost on `arm` since its source's minute, by rollout; in one query."""
    if not sources:
        return {}
    asked = [
        {
            "environment_id": source.environment_id,
            "feature": source.feature,
            "rollout_id": source.rollout_id,
            "since": source.since,
            "release_digest": digest,
        }
        for source, digest in sources
    ]
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, [orjson.dumps(asked).decode(), arm])
        return {rollout_id: int(cost) for rollout_id, cost in cursor.fetchall()}
