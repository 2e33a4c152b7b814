from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core import clock
from promptstore.core.ids import uuid7
from telemetry.events import FIELDS, InferenceEvent, validate_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def good() -> dict[str, Any]:
    text = dict.fromkeys(name for name, (_, nullable) in FIELDS.items() if not nullable)
    return {
        **{name: None for name, (_, nullable) in FIELDS.items() if nullable},
        **dict.fromkeys(text, "x"),
        "id": str(uuid7()),
        "at": clock.now().isoformat(),
        "release_digest": "sha256:" + "0" * 64,
        "arm": "stable",
        "status": "ok",
        "latency_ms": 1,
        "policy_hit": False,
        "policy_reasons": [],
        "stream": True,
        **dict.fromkeys(("input_tokens", "output_tokens", "cost_usd_nanos", "generation"), 0),
    }


def test_the_declared_type_and_the_checked_format_have_the_same_members() -> None:
    assert list(InferenceEvent.__annotations__) == list(FIELDS)


def test_a_good_event_has_no_problems() -> None:
    assert validate_event(good()) == []


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_missing_member_is_named(name: str) -> None:
    event = good()
    del event[name]
    assert [problem.field for problem in validate_event(event)] == [name]


@given(name=st.sampled_from(list(FIELDS)), value=JSON)
def test_any_value_of_one_member_is_fine_or_a_problem_of_that_member(name: str, value: Any) -> None:
    assert {problem.field for problem in validate_event(good() | {name: value})} <= {name}


@given(st.dictionaries(st.text(max_size=20), JSON, max_size=8))
def test_any_object_is_judged_without_error(event: dict[str, Any]) -> None:
    assert validate_event(event)
