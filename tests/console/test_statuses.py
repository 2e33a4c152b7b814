from __future__ import annotations

from enum import StrEnum

import pytest

from evals.states import ProbeOutcome
from evals.states import Verdict as GateVerdict
from incidents.states import DeliveryState, IncidentState
from promptstore.console.icons import icon_names
from promptstore.console.navigation import ENTRIES
from promptstore.console.statuses import LOOKS, Tone, look
from releases.states import PromotionState, RolloutState

ALL = [(kind, value) for kind, looks in LOOKS.items() for value in looks]


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("promotion", PromotionState),
        ("rollout", RolloutState),
        ("incident", IncidentState),
        ("gate", GateVerdict),
        ("probe", ProbeOutcome),
        ("delivery", DeliveryState),
    ],
)
def test_every_state_of_the_product_has_a_look(kind: str, states: type[StrEnum]) -> None:
    assert {state.value for state in states} <= set(LOOKS[kind])


@pytest.mark.parametrize(("kind", "value"), ALL)
def test_a_look_has_words_an_icon_and_a_tone(kind: str, value: str) -> None:
    shown = LOOKS[kind][value]
    assert shown.label
    assert shown.icon in icon_names()
    assert shown.tone in Tone


@pytest.mark.parametrize("kind", list(LOOKS))
def test_two_states_of_a_kind_differ_in_more_than_colour(kind: str) -> None:
    looks = {(shown.label, shown.icon): shown.tone for shown in LOOKS[kind].values()}
    assert len({label for label, _ in looks}) == len(looks)


def test_an_unknown_state_reads_as_its_own_name() -> None:
    assert look("rollout", "half_done").label == "Half done"
    assert look("nothing", "x").tone is Tone.NEUTRAL


def test_the_rail_uses_icons_that_exist() -> None:
    assert {entry.icon for entry in ENTRIES} <= icon_names()
