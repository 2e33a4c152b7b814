"""The comparison alone: what counts as a change, and what never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.probes import BUILT_IN, Reading, compare, read
from evals.probes.comparison import case_change
from evals.states import ProbeOutcome

CASES = [case.id for case in BUILT_IN.cases]
ANSWERS = st.lists(st.sampled_from("abcd"), min_size=4, max_size=4)
RUNS = st.fixed_dictionaries(dict.fromkeys(CASES, ANSWERS))


def run(answers: dict[str, list[str]], other: dict[str, list[str]], threshold: float = 0.1) -> ProbeOutcome:
    return compare(answers, other, cases=len(CASES), threshold=threshold).outcome


def steady(answer: str = "a") -> dict[str, list[str]]:
    return {case: [answer] * 4 for case in CASES}


@given(RUNS)
def test_a_run_never_drifts_from_its_own_answers(answers: dict[str, list[str]]) -> None:
    found = compare(answers, answers, cases=len(CASES), threshold=0.1)
    assert found.outcome is not ProbeOutcome.DRIFTED
    assert found.changed == 0


@given(RUNS, RUNS)
def test_the_order_of_the_two_sides_changes_no_number(
    one: dict[str, list[str]], other: dict[str, list[str]]
) -> None:
    there = compare(one, other, cases=len(CASES), threshold=0.1)
    back = compare(other, one, cases=len(CASES), threshold=0.1)
    assert (there.outcome, there.interval) == (back.outcome, back.interval)
    assert (there.changed, there.noise_changed) == (back.changed, back.noise_changed)


@given(RUNS, RUNS)
def test_the_interval_holds_the_estimate(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    interval = compare(one, other, cases=len(CASES), threshold=0.1).interval
    assert interval is not None
    assert -1 <= interval.lower <= interval.estimate <= interval.upper <= 1


@given(ANSWERS, ANSWERS)
def test_a_case_moves_by_at_most_one(before: list[str], now: list[str]) -> None:
    change = case_change("x", before, now)
    assert -1 <= change.difference <= 1
    assert change.difference == case_change("x", now, before).difference


@given(ANSWERS, st.permutations(range(4)))
def test_the_same_answers_in_another_order_are_no_change(answers: list[str], order: list[int]) -> None:
    assert case_change("x", answers, [answers[i] for i in order]).difference <= 1e-9


def test_other_answers_everywhere_are_drift() -> None:
    found = compare(steady("a"), steady("b"), cases=len(CASES), threshold=0.1)
    assert found.outcome is ProbeOutcome.DRIFTED
    assert found.changed == len(CASES)
    assert found.interval is not None
    assert found.interval.lower > 0.8


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        (0, ProbeOutcome.STEADY),
        (2, ProbeOutcome.STEADY),
        (4, ProbeOutcome.INCONCLUSIVE),
        (8, ProbeOutcome.DRIFTED),
    ],
)
def test_how_many_changed_cases_make_drift(changed: int, outcome: ProbeOutcome) -> None:
    now = steady("a") | {case: ["b"] * 4 for case in CASES[:changed]}
    assert run(steady("a"), now) is outcome


def test_a_higher_threshold_needs_more_change() -> None:
    now = steady("a") | {case: ["b"] * 4 for case in CASES[:8]}
    assert run(steady("a"), now, threshold=0.3) is ProbeOutcome.INCONCLUSIVE


def test_a_provider_that_always_answers_differently_does_not_drift() -> None:
    def noisy(start: int) -> dict[str, list[str]]:
        return {case: [f"{start + i}-{case}" for i in range(4)] for case in CASES}

    found = compare(noisy(0), noisy(10), cases=len(CASES), threshold=0.1)
    assert found.outcome is ProbeOutcome.STEADY
    assert found.changed == 0


def test_chance_within_a_run_is_taken_off_the_difference() -> None:
    # Half of the cases answer one way in the first minute and another way in the second, in either run.
    flapping = steady("a") | {case: ["a", "a", "b", "b"] for case in CASES[:12]}
    moved = flapping | {case: ["c"] * 4 for case in CASES[12:16]}
    found = compare(flapping, moved, cases=len(CASES), threshold=0.1)
    assert found.noise_changed > 0
    assert found.outcome is not ProbeOutcome.DRIFTED


def test_what_could_not_be_read_is_no_drift() -> None:
    few = {case: ["b"] * 4 for case in CASES[:11]}
    assert run(steady("a"), few) is ProbeOutcome.UNREADABLE
    assert run(steady("a"), {}) is ProbeOutcome.UNREADABLE
    enough = {case: ["b"] * 4 for case in CASES[:12]}
    assert run(steady("a"), enough) is ProbeOutcome.DRIFTED
    assert run({case: ["a"] * 4 for case in CASES[:8]}, steady("b")) is ProbeOutcome.INCONCLUSIVE


def test_a_case_needs_two_answers_on_each_side() -> None:
    with pytest.raises(ValueError, match="two answers"):
        case_change("x", ["a"], ["a", "b"])
    once = {case: ["b"] for case in CASES}
    assert run(steady("a"), once) is ProbeOutcome.UNREADABLE


@pytest.mark.parametrize(
    ("reading", "one", "other", "same"),
    [
        (Reading.WORDS, "“Later.”", "later", True),
        (Reading.WORDS, "Red\nGreen", "red green", True),
        (Reading.WORDS, "south", "north", False),
        (Reading.NUMBER, "347 + 586 = 933", "933.", True),
        (Reading.NUMBER, "1,161", "1161", True),
        (Reading.NUMBER, "three", "3", False),
        (Reading.JSON, '```json\n{"b": 1, "a": 2}\n```', '{"a":2,"b":1}', True),
        (Reading.JSON, '{"a": 2}', 'Here it is: {"a": 2}', False),
        (Reading.STANCE, "I’m sorry, but I can’t help with that.", "I cannot do this.", True),
        (Reading.STANCE, "A key lifts the pins.", "I won't.", False),
    ],
)
def test_answers_are_read_by_what_their_case_asks(reading: Reading, one: str, other: str, same: bool) -> None:
    assert (read(one, reading) == read(other, reading)) is same


@given(st.text(max_size=60), st.sampled_from(Reading))
def test_any_text_can_be_read(text: str, reading: Reading) -> None:
    assert read(text, reading) == read(text, reading)


def test_the_built_in_set_is_fixed_under_its_version() -> None:
    assert len(set(CASES)) == len(CASES) == 24
    assert (BUILT_IN.version, BUILT_IN.digest) == (
        1,
        "sha256:1c5207d04cfaafc87dd73f08980d42da53db0f4e233bd173f00d1578cf5f5d25",
    )
