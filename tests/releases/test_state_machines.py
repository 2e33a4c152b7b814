from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from incidents.states import INCIDENT, IncidentState
from promptstore.core.machines import (
    SYSTEM,
    Machine,
    Transition,
    TransitionRefused,
    apply,
    mermaid,
    next_state,
)
from releases.states import PROMOTION, ROLLOUT, PromotionState, RolloutState

MACHINES: list[Machine[Any]] = [PROMOTION, ROLLOUT, INCIDENT]
P, R = PromotionState, RolloutState


def actions(machine: Machine[Any]) -> list[str]:
    return sorted({row.action for row in machine.transitions})


def test_every_state_and_action_is_either_in_the_table_or_refused() -> None:
    for machine in MACHINES:
        table = {(row.action, row.source): row for row in machine.transitions}
        for state in machine.states:
            allowed = tuple(row.action for row in machine.outgoing(state))
            for action in [*actions(machine), "explode"]:
                if (action, state) in table:
                    assert apply(machine, state, action) is table[action, state]
                    continue
                with pytest.raises(TransitionRefused) as caught:
                    apply(machine, state, action)
                assert caught.value.allowed_actions == allowed
                assert caught.value.status == 409


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_can_be_reached(machine: Machine[Any]) -> None:
    reached = {machine.initial}
    for _ in machine.states:
        reached |= {row.target for row in machine.transitions if row.source in reached}
    assert all(state in reached for state in machine.states)


@pytest.mark.parametrize(
    ("machine", "path", "end"),
    [
        (PROMOTION, "submit checks_passed vote approve start complete supersede", "superseded"),
        (PROMOTION, "submit checks_passed approve start roll_back", "rolled_back"),
        (PROMOTION, "submit checks_failed recheck checks_failed expire", "expired"),
        # A change after approval: the votes are dismissed, the checks run again, people decide anew.
        (
            PROMOTION,
            "submit checks_passed approve dismiss_approvals recheck checks_passed",
            "awaiting_approval",
        ),
        (PROMOTION, "submit checks_passed vote dismiss_approvals reject", "rejected"),
        (PROMOTION, "submit checks_passed cancel", "cancelled"),
        (PROMOTION, "submit supersede", "superseded"),
        (ROLLOUT, "start advance pause resume complete", "completed"),
        (ROLLOUT, "start pause roll_back step_down finish_rollback", "rolled_back"),
        (ROLLOUT, "start cut", "rolled_back"),
        (ROLLOUT, "abort", "aborted"),
        (INCIDENT, "acknowledge mitigate resolve", "resolved"),
        (INCIDENT, "mitigate resolve", "resolved"),
    ],
)
def test_the_usual_ways_through_a_machine(machine: Machine[Any], path: str, end: str) -> None:
    state = machine.initial
    for action in path.split():
        state = next_state(machine, state, action)
    assert state == end


def test_what_is_over_stays_over() -> None:
    assert set(PROMOTION.final_states) == {P.REJECTED, P.CANCELLED, P.EXPIRED, P.SUPERSEDED, P.ROLLED_BACK}
    assert set(ROLLOUT.final_states) == {R.COMPLETED, R.ROLLED_BACK, R.ABORTED}
    assert set(INCIDENT.final_states) == {IncidentState.RESOLVED}


def test_a_rollout_on_its_way_down_cannot_go_up_again() -> None:
    assert {row.target for row in ROLLOUT.outgoing(R.ROLLING_BACK)} == {R.ROLLING_BACK, R.ROLLED_BACK}


def test_nothing_goes_live_without_approval_and_rollout() -> None:
    into = {
        target: {row.source for row in PROMOTION.transitions if row.target is target}
        for target in (P.APPROVED, P.ROLLING_OUT, P.LIVE)
    }
    assert into == {P.APPROVED: {P.AWAITING_APPROVAL}, P.ROLLING_OUT: {P.APPROVED}, P.LIVE: {P.ROLLING_OUT}}


def test_approvals_and_rollbacks_need_the_right_that_says_so() -> None:
    assert apply(PROMOTION, P.AWAITING_APPROVAL, "approve").permission == "promotion.approve"
    assert apply(ROLLOUT, R.RUNNING, "roll_back").permission == "rollout.roll_back"
    assert apply(PROMOTION, P.CHECKING, "checks_passed").permission == SYSTEM


def test_a_refusal_says_what_is_possible_instead() -> None:
    with pytest.raises(TransitionRefused) as caught:
        apply(INCIDENT, IncidentState.MITIGATED, "acknowledge")
    assert (
        caught.value.detail == "“acknowledge” is not possible: the incident is mitigated. Possible: resolve."
    )
    assert caught.value.code == "transition_refused"
    assert caught.value.extra["allowed_actions"] == ["resolve"]
    with pytest.raises(TransitionRefused, match="this state is final"):
        apply(INCIDENT, IncidentState.RESOLVED, "resolve")


def test_a_plain_string_from_the_database_is_a_state_too() -> None:
    assert next_state(INCIDENT, "open", "mitigate") == "mitigated"  # type: ignore[misc]


def test_a_machine_with_two_ways_for_one_action_is_refused() -> None:
    class Light(StrEnum):
        ON = "on"
        OFF = "off"

    twice = (Transition("flip", Light.ON, Light.OFF, SYSTEM), Transition("flip", Light.ON, Light.ON, SYSTEM))
    with pytest.raises(ValueError, match="two others"):
        Machine("light", Light, Light.ON, twice)


def test_a_machine_draws_itself() -> None:
    assert mermaid(INCIDENT) == (
        "stateDiagram-v2\n"
        "    [*] --> open\n"
        "    open --> acknowledged: acknowledge (incident.acknowledge)\n"
        "    open --> mitigated: mitigate (incident.mitigate)\n"
        "    acknowledged --> mitigated: mitigate (incident.mitigate)\n"
        "    mitigated --> resolved: resolve (incident.resolve)\n"
        "    resolved --> [*]\n"
    )
