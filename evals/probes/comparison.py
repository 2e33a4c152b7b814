"""Did the answers change by more than their own noise? Pure.

For one case let `cross` be the share of pairs (an answer of the baseline, an answer of now) that disagree, and `noise` the mean
of the shares of disagreeing pairs within the baseline and within now. `cross - noise` is half the energy distance between the
two samples for the discrete metric (G. J. Székely, M. L. Rizzo, "Energy statistics: a class of statistics based on distances",
J. Stat. Plan. Inference 143 (2013) 1249-1272, section 2): 1 when two steady answers differ, 0 in expectation when both come from
one distribution, however noisy that is. A case has changed when it is at least `CHANGED_FROM`.

The difference of a run is the share of changed cases minus the share of cases that “change” between the two halves of one and
the same run, with Newcombe's interval (`stats.intervals.newcombe_difference`). The two shares come from the same cases, so the
interval for independent shares is, if anything, too wide: it errs towards not raising an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

from evals.states import ProbeOutcome
from stats.intervals import Interval, newcombe_difference

CHANGED_FROM: Final = 0.5
LEAST_ANSWERS: Final = 2  # of one case, for its noise to be known
LEAST_CASES: Final = 12
LEAST_READABLE_SHARE: Final = 0.5
_ROUNDING: Final = 1e-9

Readings = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One case, seen twice. `difference` is `cross - noise`; it may be a little below 0 by chance."""

    id: str
    cross: float
    noise: float

    @property
    def difference(self) -> float:
        return self.cross - self.noise

    @property
    def changed(self) -> bool:
        return self.difference >= CHANGED_FROM - _ROUNDING


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a run says beside its baseline.

    `interval` is the difference in shares (0 to 1); None where nothing could be compared. `changed` of `compared` cases changed,
    `noise_changed` of `noise_compared` did so within one run.
    """

    outcome: ProbeOutcome
    interval: Interval | None
    compared: int
    changed: int
    noise_compared: int
    noise_changed: int
    cases: tuple[CaseChange, ...]


def compare(baseline: Readings, now: Readings, *, cases: int, threshold: float) -> Comparison:
    """Compare what two runs of the same `cases` questions read, by case id.

    `drifted` only if the interval lies above `threshold` as a whole; `inconclusive` when fewer than `LEAST_CASES` cases can be
    compared or the estimate, but not the interval, is above it; `unreadable`, which is never drift, when fewer than half of the
    cases were answered now. Swapping the two sides changes no number.
    """
    readable = _readable(now)
    common = [case for case in baseline if case in readable and len(baseline[case]) >= LEAST_ANSWERS]
    changes = tuple(case_change(case, baseline[case], now[case]) for case in common)
    noise = [change for side in (baseline, now) for change in _within(side, common)]
    changed = sum(change.changed for change in changes)
    noise_changed = sum(change.changed for change in noise)
    interval = (
        newcombe_difference(changed, len(changes), noise_changed, len(noise)) if changes and noise else None
    )
    return Comparison(
        outcome=_outcome(len(readable), len(changes), interval, cases=cases, threshold=threshold),
        interval=interval,
        compared=len(changes),
        changed=changed,
        noise_compared=len(noise),
        noise_changed=noise_changed,
        cases=changes,
    )


def can_be_read(now: Readings, *, cases: int) -> bool:
    """Whether enough of `cases` questions were answered to say anything."""
    return len(_readable(now)) >= LEAST_READABLE_SHARE * cases


def case_change(case: str, before: Sequence[str], now: Sequence[str]) -> CaseChange:
    """How far the answers to one question moved; each side needs at least two, else `ValueError`."""
    if min(len(before), len(now)) < LEAST_ANSWERS:
        raise ValueError(f"two answers on each side are needed, got {len(before)} and {len(now)}")
    cross = sum(a != b for a, b in product(before, now)) / (len(before) * len(now))
    return CaseChange(case, cross=cross, noise=(_disagreement(before) + _disagreement(now)) / 2)


def _disagreement(answers: Sequence[str]) -> float:
    pairs = list(combinations(answers, 2))
    return sum(a != b for a, b in pairs) / len(pairs)


def _readable(readings: Readings) -> set[str]:
    return {case for case, answers in readings.items() if len(answers) >= LEAST_ANSWERS}


def _within(side: Readings, cases: Sequence[str]) -> list[CaseChange]:
    """Each case's first answers against its last ones, where there are enough of both."""
    found = []
    for case in cases:
        half = len(side[case]) // 2
        if half >= LEAST_ANSWERS:
            found.append(case_change(case, side[case][:half], side[case][half:]))
    return found


def _outcome(
    readable: int, compared: int, interval: Interval | None, *, cases: int, threshold: float
) -> ProbeOutcome:
    if readable < LEAST_READABLE_SHARE * cases:
        return ProbeOutcome.UNREADABLE
    if interval is None or compared < LEAST_CASES:
        return ProbeOutcome.INCONCLUSIVE
    if interval.lower > threshold:
        return ProbeOutcome.DRIFTED
    return ProbeOutcome.INCONCLUSIVE if interval.estimate > threshold else ProbeOutcome.STEADY
