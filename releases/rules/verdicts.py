"""The five verdicts, and how `and` and `or` combine them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    ERROR = "error"


# From best to worst; a failure is decided and stands outside the order.
_ORDER = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.NO_DATA, Verdict.ERROR)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of at least one verdict, none of them `fail`."""
    return max(verdicts, key=_ORDER.index)


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of an `or` over at least one part."""
    verdicts = list(verdicts)
    return Verdict.FAIL if Verdict.FAIL in verdicts else worst_of(verdicts)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of an `and` over at least one part."""
    verdicts = list(verdicts)
    if Verdict.PASS in verdicts:
        return Verdict.PASS
    undecided = [verdict for verdict in verdicts if verdict is not Verdict.FAIL]
    return worst_of(undecided) if undecided else Verdict.FAIL
