from __future__ import annotations

import pytest

from promptstore.console.statuses import LOOKS
from promptstore.core.errors import InvalidInput
from promptstore.core.machines import TransitionRefused, apply
from reviews.rubrics import BUILT_IN, check_answers, is_hallucination, majority
from reviews.states import REVIEW, ReviewState

GOOD = {"factuality": "supported", "tone": "fits"}
BAD = {"factuality": "unsupported", "tone": "off"}


def test_every_state_and_action_is_in_the_table_or_refused() -> None:
    table = {(row.action, row.source): row for row in REVIEW.transitions}
    actions = {row.action for row in REVIEW.transitions}
    for state in ReviewState:
        for action in actions:
            if (action, state) in table:
                assert apply(REVIEW, state, action) is table[action, state]
                continue
            with pytest.raises(TransitionRefused):
                apply(REVIEW, state, action)


def test_every_state_is_reached_has_a_look_and_only_two_are_final() -> None:
    reached = {REVIEW.initial} | {row.target for row in REVIEW.transitions}
    assert reached == set(ReviewState)
    assert {state.value for state in ReviewState} == set(LOOKS["review"])
    assert set(REVIEW.final_states) == {ReviewState.SETTLED, ReviewState.WITHDRAWN}


def test_every_choice_has_a_key_of_its_own_and_none_is_taken_by_the_page() -> None:
    keys = [choice["key"] for question in BUILT_IN["questions"] for choice in question["choices"]]
    assert len(set(keys)) == len(keys)
    assert not {"s", "x", "n", "/"} & set(keys)


def test_answers_are_one_choice_for_every_question() -> None:
    assert check_answers(BUILT_IN, GOOD) == GOOD
    for answers in ({}, {**GOOD, "tone": None}, {**GOOD, "other": "x"}, {**GOOD, "factuality": "fits"}):
        with pytest.raises(InvalidInput):
            check_answers(BUILT_IN, answers)


def test_a_verdict_is_what_more_than_half_say_to_each_question() -> None:
    assert majority([GOOD]) == GOOD
    assert majority([GOOD, BAD]) is None
    assert majority([GOOD, BAD, GOOD]) == GOOD
    assert majority([GOOD, {**GOOD, "tone": "off"}, {**GOOD, "tone": "harmful"}]) is None


def test_an_answer_that_is_partly_supported_is_a_hallucination_and_one_nobody_can_tell_is_neither() -> None:
    said = {name: is_hallucination({"factuality": name}) for name in ("supported", "partly", "cannot_tell")}
    assert said == {"supported": False, "partly": True, "cannot_tell": None}
