"""Verdicts of gates and their checks, and outcomes of drift probes. No Django."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """`fail` speaks of the release, `error` of the surroundings; `inconclusive` means there was too little to judge."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


_WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)


def severity_rank(verdict: Verdict) -> int:
    """0 for the worst; sorts rows worst first."""
    return _WORST_FIRST.index(verdict)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole from its parts. Nothing checked is nothing shown: `inconclusive`."""
    return min(verdicts, key=severity_rank, default=Verdict.INCONCLUSIVE)


class ProbeOutcome(StrEnum):
    """What a drift probe found. `baseline` had nothing to be compared with; `unreadable` is never drift."""

    BASELINE = "baseline"
    STEADY = "steady"
    DRIFTED = "drifted"
    INCONCLUSIVE = "inconclusive"
    UNREADABLE = "unreadable"
