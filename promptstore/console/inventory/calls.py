"""When each feature was last called in each environment, and how often lately: from the minute rollups, by their index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.db import connection

from promptstore.core import clock

# Copies of calls that were sent to a release in shadow are no calls of anybody's.
_CALLS = """
SELECT place.number, latest.minute, recent.count
FROM json_to_recordset(%s) AS place (number int, environment_id uuid, feature text)
LEFT JOIN LATERAL (
  SELECT minute FROM telemetry_rollup AS rollup
  WHERE rollup.environment_id = place.environment_id AND rollup.feature = place.feature
    AND rollup.count > 0 AND rollup.arm <> 'shadow'
  ORDER BY minute DESC LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
  SELECT sum(rollup.count) AS count FROM telemetry_rollup AS rollup
  WHERE rollup.environment_id = place.environment_id AND rollup.feature = place.feature
    AND rollup.minute > %s AND rollup.arm <> 'shadow'
) AS recent ON latest.minute > %s
"""
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calls:
    """`last` is the minute of the latest call that is still recorded, None for never; `day` counts the last 24 hours."""

    last: datetime | None = None
    day: int = 0


def calls_of(places: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Calls]:
    """For each `(environment id, feature slug)`, in one query of two index probes a place."""
    asked = list(places)
    since = clock.now() - RECENT
    parameter = [
        {"number": number, "environment_id": environment_id, "feature": feature}
        for number, (environment_id, feature) in enumerate(asked)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [orjson.dumps(parameter).decode(), since, since])
        return {asked[number]: Calls(last, int(count or 0)) for number, last, count in cursor.fetchall()}
