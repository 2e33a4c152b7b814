"""Reading rollups as the series that metrics are measured on: two queries, for however many features and rollouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from telemetry.metrics.base import Minute
from telemetry.metrics.series import BUCKET, ArmKey, ArmMinutes, MinuteSeries

NO_ROLLOUT = UUID(int=0)
"""The rollout id under which rollups count the traffic outside of any rollout."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose minutes: one feature in one environment and one rollout (`NO_ROLLOUT`: outside of any), from `since` on."""

    environment_id: UUID
    feature: str
    rollout_id: UUID
    since: datetime


# LATERAL keeps each source a probe of the index that ends in the minute; a plain join lets the planner read whole rollouts.
_MINUTES = """
SELECT source.number, found.*
FROM json_to_recordset(%s) AS source (number int, environment_id uuid, feature text, rollout_id uuid, after timestamptz)
CROSS JOIN LATERAL (
  SELECT release_digest, arm, latency_histogram::text, minute, count, errors, policy_hits, validated, valid, input_tokens,
    output_tokens, cost_usd_nanos, judged, hallucinated, unsupported, toned, tone_off
  FROM telemetry_rollup AS rollup
  WHERE rollup.environment_id = source.environment_id AND rollup.feature = source.feature
    AND rollup.rollout_id = source.rollout_id AND rollup.minute > source.after AND rollup.minute <= %s
) AS found
ORDER BY found.minute
"""

_CALLS = 9  # columns of a minute before its histogram; those after it count labels

# The key's index ends in the minute, so that each first minute is a single probe however long the rollout runs.
_FIRSTS = """
SELECT source.number, source.release_digest, source.arm, found.minute
FROM json_to_recordset(%s)
  AS source (number int, environment_id uuid, feature text, rollout_id uuid, release_digest text, arm text)
CROSS JOIN LATERAL (
  SELECT minute FROM telemetry_rollup AS rollup
  WHERE rollup.environment_id = source.environment_id AND rollup.feature = source.feature
    AND rollup.rollout_id = source.rollout_id AND rollup.release_digest = source.release_digest AND rollup.arm = source.arm
  ORDER BY minute LIMIT 1
) AS found
"""


def load_minutes(sources: Sequence[Source], *, until: datetime) -> list[MinuteSeries]:
    """A series for each source, in their order, in two queries altogether."""
    minutes: list[dict[ArmKey, list[Minute]]] = [{} for _ in sources]
    asked = [
        {**_place(one), "number": number, "after": one.since - BUCKET} for number, one in enumerate(sources)
    ]
    for number, release_digest, arm, histogram, *columns in _rows(_MINUTES, asked, until) if asked else ():
        columns.insert(_CALLS, orjson.loads(histogram))
        key = ArmKey(release_digest=release_digest, arm=arm)
        minutes[number].setdefault(key, []).append(Minute(*columns))
    firsts = _first_minutes(sources, minutes)
    return [
        MinuteSeries(
            since=source.since,
            until=until,
            arms={
                # Between the two reads old rollups may be deleted.
                key: ArmMinutes(
                    first=min(firsts[number].get(key, found[0].minute), found[0].minute), minutes=tuple(found)
                )
                for key, found in minutes[number].items()
            },
        )
        for number, source in enumerate(sources)
    ]


def _first_minutes(
    sources: Sequence[Source], found: Sequence[Iterable[ArmKey]]
) -> Mapping[int, Mapping[ArmKey, datetime]]:
    """When each arm got its first call, also before the series, by the source's number."""
    asked = [
        {**_place(sources[number]), "number": number, "release_digest": key.release_digest, "arm": key.arm}
        for number, keys in enumerate(found)
        for key in keys
    ]
    firsts: defaultdict[int, dict[ArmKey, datetime]] = defaultdict(dict)
    for number, digest, arm, minute in _rows(_FIRSTS, asked) if asked else ():
        firsts[number][ArmKey(release_digest=digest, arm=arm)] = minute
    return firsts


def _place(source: Source) -> dict[str, Any]:
    return {
        "environment_id": source.environment_id,
        "feature": source.feature,
        "rollout_id": source.rollout_id,
    }


def _rows(statement: str, asked: Sequence[Mapping[str, Any]], *more: Any) -> list[tuple[Any, ...]]:
    """The rows for what is asked. One parameter of JSON costs a fraction of as many arrays as it has members."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [orjson.dumps(asked).decode(), *more])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
