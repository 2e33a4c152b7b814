"""Against examples that were worked out in print, and what holds for any judgements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.agreement import cohen_kappa, krippendorff_alpha, percent_agreement

# K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): section A, two observers and two values…
TWO = ["0100000010", "1110010000"]
# …and section C, four observers, five values and missing data (".").
FOUR = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]

UNITS = st.lists(st.lists(st.sampled_from("abc"), min_size=0, max_size=5), max_size=25)


def by_unit(*observers: str) -> list[list[str]]:
    return [[value for value in unit if value != "."] for unit in zip(*observers, strict=True)]


def test_alpha_is_that_of_the_published_examples() -> None:
    two, four = krippendorff_alpha(by_unit(*TWO)), krippendorff_alpha(by_unit(*FOUR))
    assert two.value == pytest.approx(0.095, abs=5e-4)
    assert four.value == pytest.approx(0.743, abs=5e-4)
    assert (two.n, four.n) == (10, 11)


def test_kappa_is_that_of_the_published_examples() -> None:
    # Fifty proposals, two readers, yes or no: 20 both yes, 15 both no, 5 and 10 apart.
    first = "y" * 25 + "n" * 25
    second = "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15
    assert cohen_kappa(first, second).value == pytest.approx(0.4)
    # Cohen (1960), table 1: 200 diagnoses in three categories.
    table = {"aa": 88, "ab": 14, "ac": 18, "ba": 10, "bb": 40, "bc": 10, "ca": 2, "cb": 6, "cc": 12}
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    kappa = cohen_kappa([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    assert kappa.value == pytest.approx(0.492, abs=1e-3)


def test_the_plain_share_counts_agreeing_pairs() -> None:
    assert percent_agreement([["a", "a"], ["a", "b"], ["a"], []]).value == 0.5
    assert percent_agreement([["a", "a", "b"]]).value == pytest.approx(1 / 3)


def test_a_high_share_on_a_skewed_set_is_no_agreement_beyond_chance() -> None:
    units = [["a", "a"]] * 18 + [["a", "b"], ["b", "a"]]
    assert percent_agreement(units).value == 0.9
    alpha = krippendorff_alpha(units).value
    assert alpha is not None
    assert alpha == pytest.approx(-0.0263, abs=1e-3)


@pytest.mark.parametrize(
    ("units", "why"),
    [
        ([], "nothing was judged twice"),
        ([["a"], ["b"]], "nothing was judged twice"),
        ([["a", "a"], ["a", "a"]], "only one category was used"),
        ([["a", "a"], ["b"]], "only one category was used"),
    ],
)
def test_what_is_not_defined_is_said_in_words(units: list[list[str]], why: str) -> None:
    alpha = krippendorff_alpha(units)
    assert (alpha.value, alpha.why) == (None, why)


def test_kappa_of_nothing_or_of_one_category_is_not_defined() -> None:
    assert cohen_kappa([], []).value is None
    assert cohen_kappa("aa", "aa").why == "only one category was used"
    assert cohen_kappa("aa", "ab").value == pytest.approx(0.0)
    with pytest.raises(ValueError, match="as many"):
        cohen_kappa("aa", "a")


@given(UNITS)
def test_alpha_is_at_most_one_and_one_only_without_disagreement(units: list[list[str]]) -> None:
    alpha = krippendorff_alpha(units)
    if alpha.value is None:
        assert alpha.why
        return
    assert alpha.value <= 1 + 1e-12
    agreed = all(len(set(unit)) == 1 for unit in units if len(unit) >= 2)
    assert (alpha.value == pytest.approx(1.0)) == agreed


@given(UNITS)
def test_neither_the_order_of_people_nor_of_things_matters(units: list[list[str]]) -> None:
    shuffled = [sorted(unit) for unit in reversed(units)]
    before, after = krippendorff_alpha(units).value, krippendorff_alpha(shuffled).value
    assert before == (None if after is None else pytest.approx(after))
