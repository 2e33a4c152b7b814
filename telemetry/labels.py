"""What people found in the answers of an arm, counted for rules: the one door to those columns of the rollups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from telemetry.minutes import NO_ROLLOUT

# A minute in which people judged and nobody called is a row of its own, with no call in it.
_COUNT = """
INSERT INTO telemetry_rollup AS kept (
  project_id, environment_id, feature, rollout_id, release_digest, arm, minute, count, errors, policy_hits, validated, valid,
  input_tokens, output_tokens, cost_usd_nanos, latency_sum_ms, latency_histogram,
  judged, hallucinated, unsupported, toned, tone_off)
VALUES (%s, %s, %s, %s, %s, %s, date_trunc('minute', %s::timestamptz), 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', %s, %s, %s, %s, %s)
ON CONFLICT (environment_id, feature, rollout_id, release_digest, arm, minute) DO UPDATE SET
  judged = kept.judged + excluded.judged, hallucinated = kept.hallucinated + excluded.hallucinated,
  unsupported = kept.unsupported + excluded.unsupported, toned = kept.toned + excluded.toned,
  tone_off = kept.tone_off + excluded.tone_off
"""


@dataclass(frozen=True, slots=True)
class ArmOf:
    """Whose answer was judged: one release on one arm of a feature; `rollout_id` is None outside of any rollout."""

    project_id: UUID
    environment_id: UUID
    feature: str
    rollout_id: UUID | None
    release_digest: str
    arm: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What people found in one answer; `None` where nobody could tell or was asked.

    `hallucinated`: something it says is not supported. `unsupported`: nothing that matters is; never without `hallucinated`.
    """

    hallucinated: bool | None
    unsupported: bool
    tone_off: bool | None


def count_finding(*, of: ArmOf, found: Finding, settled_at: datetime) -> None:
    """Count one settled answer in the minute in which it was settled, in the caller's transaction.

    A rule looks at a trailing window, so what is known late has to count when it is known. Calls are counted elsewhere and are
    left as they are. The caller sees to it that an answer is settled once; this adds up whatever it is told.
    """
    judged, toned = found.hallucinated is not None, found.tone_off is not None
    if not (judged or toned):
        return
    flags = (judged, bool(found.hallucinated), judged and found.unsupported, toned, bool(found.tone_off))
    rollout_id = of.rollout_id or NO_ROLLOUT
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                of.project_id, of.environment_id, of.feature, rollout_id, of.release_digest, of.arm, settled_at,
                *(int(flag) for flag in flags),
            ],
        )  # fmt: skip
