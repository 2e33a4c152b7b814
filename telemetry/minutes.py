"""Reading rollups as the series that metrics are measured on, with two queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from telemetry.metrics.base import Minute
from telemetry.metrics.series import BUCKET, ArmKey, ArmMinutes, MinuteSeries
from telemetry.models import Rollup

NO_ROLLOUT = UUID(int=0)
"""The rollout id under which rollups count the traffic outside of any rollout."""

_COLUMNS = (
    "minute",
    "count",
    "errors",
    "policy_hits",
    "validated",
    "valid",
    "input_tokens",
    "output_tokens",
    "cost_usd_nanos",
    "latency_histogram",
)


def load_minutes(
    *, environment_id: UUID, feature: str, rollout_id: UUID | None, since: datetime, until: datetime
) -> MinuteSeries:
    """The rollups of one feature in one environment and one rollout (`None`: outside of any), in two queries
    however long the span and however many releases."""
    arm = Rollup.objects.filter(
        environment_id=environment_id, feature=feature, rollout_id=rollout_id or NO_ROLLOUT
    )
    rows = (
        arm.filter(minute__gt=since - BUCKET, minute__lte=until)
        .order_by("minute")
        .values_list("release_digest", "arm", *_COLUMNS)
    )
    minutes: defaultdict[ArmKey, list[Minute]] = defaultdict(list)
    for release_digest, name, *columns in rows:
        minutes[ArmKey(release_digest=release_digest, arm=name)].append(Minute(*columns))
    firsts = _first_minutes(arm, list(minutes))
    arms = {
        # Between the two reads old rollups may be deleted.
        key: ArmMinutes(first=min(firsts.get(key, found[0].minute), found[0].minute), minutes=tuple(found))
        for key, found in minutes.items()
    }
    return MinuteSeries(since=since, until=until, arms=arms)


def _first_minutes(rollups: QuerySet[Rollup], keys: Sequence[ArmKey]) -> dict[ArmKey, datetime]:
    """When each arm got its first call, in one query: its key's index ends in the minute, so that each is a single probe.

    A subquery beside every minute would probe as often as there are minutes.
    """
    if not keys:
        return {}
    first, *others = (
        rollups.filter(release_digest=key.release_digest, arm=key.arm)
        .order_by("minute")
        .values_list("release_digest", "arm", "minute")[:1]
        for key in keys
    )
    found = first.union(*others, all=True) if others else first
    return {ArmKey(release_digest=digest, arm=name): minute for digest, name, minute in found}
