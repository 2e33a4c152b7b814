"""Which arm a unit gets: sticky, integer-only, the same on every node. No Django, no I/O.

A unit's bucket is a number from 0 to 9,999. The candidate owns the low end, so a unit that is in at 2 %
stays in at 10 % and, on the way down, units leave in the reverse order in which they came. Buckets between
the candidate's weight and the highest weight that was withdrawn belong to units that have seen the
candidate and must not see it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import mmh3

TOTAL_BP = 10_000


class Arm(StrEnum):
    STABLE = "stable"
    CANDIDATE = "candidate"
    SHADOW = "shadow"
    SAFE = "safe"


class OnWithdraw(StrEnum):
    """What withdrawn units get until their incident is mitigated."""

    STABLE = "stable"
    SAFE_MODE = "safe_mode"


class RouteReason(StrEnum):
    """Why a call got its arm. `static` and `split` mean what OpenFeature means by them."""

    SPLIT = "split"  # by its bucket, while a candidate takes traffic
    STATIC = "static"  # no candidate takes traffic
    NO_UNIT = "no_unit"  # nothing to be sticky to
    WITHDRAWN = "withdrawn"  # the unit's candidate was taken back
    NO_STABLE = "no_stable"  # outside the candidate's weight, and nothing is live yet


@dataclass(frozen=True, slots=True)
class Routing:
    """What a node needs to route one deployment.

    `salt` is new for each rollout. `candidate_bp` is the candidate's weight, `withdrawn_bp` the highest
    weight that was taken back (0: none), both in basis points. `candidate` and `stable` name releases;
    `None` where there is none. Raises `ValueError` for weights out of range or a weight without a
    candidate.
    """

    salt: str
    candidate_bp: int
    withdrawn_bp: int
    on_withdraw: OnWithdraw
    candidate: str | None
    stable: str | None

    def __post_init__(self) -> None:
        if not (0 <= self.candidate_bp <= TOTAL_BP and 0 <= self.withdrawn_bp <= TOTAL_BP):
            raise ValueError(f"weights lie between 0 and {TOTAL_BP}")
        if self.candidate_bp and self.candidate is None:
            raise ValueError("a weight above 0 needs a candidate")


def bucket(salt: str, unit: str, total: int = TOTAL_BP) -> int:
    """The bucket of `unit` under `salt`, from 0 to `total - 1`."""
    return scale(f"{salt}:{unit}", total)


def scale(key: str, total: int) -> int:
    """Map `key` evenly to 0 … `total - 1`: `(murmur3_32(utf8(key), seed 0) · total) >> 32`, all integers.

    This is the bucketing of OpenFeature's flagd, version 2. Lone surrogates, which JSON can smuggle in, are
    encoded as they are instead of failing.
    """
    return (int(mmh3.hash(key.encode("utf-8", "surrogatepass"), 0, signed=False)) * total) >> 32


def route(routing: Routing, unit: str | None) -> tuple[Arm, RouteReason]:
    """The arm for one call of `unit` and why. Without a unit: stable, and left out of comparisons.

    Where stable is called for and no release is live (a first rollout), the answer is safe mode.
    """
    if not unit:
        return _stable_or_safe(routing), RouteReason.NO_UNIT
    position = bucket(routing.salt, unit)
    if position < routing.candidate_bp:
        return Arm.CANDIDATE, RouteReason.SPLIT
    if position < routing.withdrawn_bp:
        # Compared by value: snapshots are read from JSON, and a plain string must not fall through to stable.
        safe = routing.on_withdraw == OnWithdraw.SAFE_MODE
        return Arm.SAFE if safe else _stable_or_safe(routing), RouteReason.WITHDRAWN
    if routing.stable is None:
        return Arm.SAFE, RouteReason.NO_STABLE
    return Arm.STABLE, RouteReason.SPLIT if routing.candidate_bp else RouteReason.STATIC


def _stable_or_safe(routing: Routing) -> Arm:
    return Arm.SAFE if routing.stable is None else Arm.STABLE
