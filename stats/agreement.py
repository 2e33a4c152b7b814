"""How far people agree who put the same things into nominal categories.

None of these numbers is made up where it is not defined: a chance-corrected coefficient needs two categories and things that
were judged twice. What is missing is said in words, never as 1 or 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Unit = Sequence[str]
"""The categories that several people gave to one thing, in any order; their number may differ from thing to thing."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with the number of things behind it; `value` is `None` where it is not defined, and `why` says why."""

    value: float | None
    n: int
    why: str = ""


def percent_agreement(units: Sequence[Unit]) -> Agreement:
    """The share of agreeing pairs of judgements within a thing, from 0 to 1, averaged over things judged at least twice.

    With two judgements each it is the plain share of things on which they agree. Source: J. L. Fleiss, "Measuring nominal scale
    agreement among many raters", Psychological Bulletin 76 (1971) 378-382, the P-bar of its equation (3), which it does not
    correct for chance.
    """
    paired = [unit for unit in units if len(unit) >= 2]
    if not paired:
        return Agreement(None, 0, "nothing was judged twice")
    return Agreement(sum(_agreeing_share(unit) for unit in paired) / len(paired), len(paired))


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Agreement of two people over the same things in the same order, corrected for chance by each one's own habits.

    1 is perfect, 0 what chance gives, below 0 worse than chance. Not defined where both used one and the same category only.
    Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960) 37-46.

    Raises `ValueError` for sequences of different lengths.
    """
    if len(first) != len(second):
        raise ValueError(f"need as many judgements of both, got {len(first)} and {len(second)}")
    n = len(first)
    if not n:
        return Agreement(None, 0, "nothing was judged twice")
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    of_first, of_second = Counter(first), Counter(second)
    if len(of_first.keys() | of_second.keys()) < 2:
        return Agreement(None, n, "only one category was used")
    by_chance = sum(of_first[category] * of_second[category] for category in of_first) / (n * n)
    return Agreement((observed - by_chance) / (1 - by_chance), n)


def krippendorff_alpha(units: Sequence[Unit]) -> Agreement:
    """Krippendorff's α for nominal data: any number of people, and any of them may have left things out.

    1 is perfect, 0 what chance gives, below 0 systematic disagreement. `n` counts the things judged at least twice; others do
    not enter. Not defined where only one category was used. Source: A. F. Hayes and K. Krippendorff, "Answering the call for a
    standard reliability measure for coding data", Communication Methods and Measures 1 (2007) 77-89; in the form of
    K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C.
    """
    paired = [Counter(unit) for unit in units if len(unit) >= 2]
    if not paired:
        return Agreement(None, 0, "nothing was judged twice")
    totals: Counter[str] = Counter()
    for unit in paired:
        totals.update(unit)
    if len(totals) < 2:
        return Agreement(None, len(paired), "only one category was used")
    n = totals.total()
    observed = 1 - sum(_coincidences(unit) for unit in paired) / n
    expected = 1 - sum(count * (count - 1) for count in totals.values()) / (n * (n - 1))
    return Agreement(1 - observed / expected, len(paired))


def _coincidences(unit: Counter[str]) -> float:
    """What a thing adds to the diagonal of the coincidence matrix: agreeing ordered pairs, by the judgements less one."""
    return sum(count * (count - 1) for count in unit.values()) / (unit.total() - 1)


def _agreeing_share(unit: Unit) -> float:
    counts, size = Counter(unit), len(unit)
    return sum(count * (count - 1) for count in counts.values()) / (size * (size - 1))
