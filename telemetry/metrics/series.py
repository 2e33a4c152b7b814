"""The minutes of a feature's arms: what every metric is measured on, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.metrics.base import Minute

BUCKET = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ArmKey:
    """One release on one arm."""

    release_digest: str
    arm: str


@dataclass(frozen=True, slots=True)
class ArmMinutes:
    """What one release did on one arm, in ascending order. `first` is its first minute ever, also before the series."""

    first: datetime
    minutes: tuple[Minute, ...]


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """The minutes from `since` to `until` (both inclusive, in whole buckets) by release and arm."""

    since: datetime
    until: datetime
    arms: Mapping[ArmKey, ArmMinutes]

    def minutes_of(self, arm: str) -> list[Minute]:
        """An arm's minutes over all of its releases; two releases in one minute are two entries."""
        return [minute for key, found in self.arms.items() if key.arm == arm for minute in found.minutes]

    def first_of(self, arm: str) -> datetime | None:
        """When the arm got its first call; `None` if the series has nothing of it."""
        return min((found.first for key, found in self.arms.items() if key.arm == arm), default=None)

    def releases_of(self, arm: str) -> list[str]:
        """The digests that ran on the arm."""
        return sorted(key.release_digest for key in self.arms if key.arm == arm)
