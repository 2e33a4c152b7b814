"""How many calls a rollout's arms had since a moment, at a cost that does not grow with the traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from django.db import connection

from telemetry.minutes import Source

# Whole minutes from the rollups; of the minute in which `since` lies, the calls themselves. Both are written in one transaction.
_COUNT = """
SELECT source.rollout_id, counted.arm, sum(counted.calls)::bigint
FROM json_to_recordset(%s) AS source (environment_id uuid, feature text, rollout_id uuid, since timestamptz)
CROSS JOIN LATERAL (
  SELECT date_trunc('minute', source.since + interval '1 minute' - interval '1 microsecond') AS whole
) AS first
CROSS JOIN LATERAL (
  SELECT rollup.arm, sum(rollup.count) AS calls
  FROM telemetry_rollup AS rollup
  WHERE rollup.environment_id = source.environment_id AND rollup.feature = source.feature
    AND rollup.rollout_id = source.rollout_id AND rollup.minute >= first.whole
  GROUP BY rollup.arm
  UNION ALL
  SELECT inference.arm, count(*)
  FROM telemetry_inference AS inference
  WHERE inference.rollout_id = source.rollout_id AND inference.arm = ANY (%s)
    AND inference.at >= source.since AND inference.at < first.whole
  GROUP BY inference.arm
) AS counted
WHERE counted.arm = ANY (%s)
GROUP BY 1, 2
"""


def count_calls(sources: Sequence[Source], *, arms: Sequence[str]) -> Mapping[UUID, Mapping[str, int]]:
    """Calls of each of `arms` at or after a source's `since`, by rollout; in one query. What had none is left out."""
    found: dict[UUID, dict[str, int]] = {}
    if sources:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [orjson.dumps(sources).decode(), list(arms), list(arms)])
            for rollout_id, arm, calls in cursor.fetchall():
                found.setdefault(rollout_id, {})[arm] = calls
    return found
