from __future__ import annotations

import json
import math
import random
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core import clock, ids
from promptstore.core.digests import canonical_json, digest_bytes, digest_json
from promptstore.core.errors import InvalidInput
from promptstore.core.ids import uuid7

# --- clock -----------------------------------------------------------------------------------------------


def test_the_clock_speaks_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_the_machines_clock_set_back_does_not_turn_time_back() -> None:
    late = datetime(2026, 3, 2, 9, tzinfo=UTC)
    walls = iter([late, late - timedelta(hours=1), late + timedelta(hours=1)])
    seconds = iter([0.0, 0.0, 10.0, 7_200.0])
    system = clock.SystemClock(wall=lambda: next(walls), steady_s=lambda: next(seconds))
    # At half speed until the wall clock has caught up.
    assert [system.now() - late for _ in range(3)] == [
        timedelta(0),
        timedelta(seconds=5),
        timedelta(hours=1),
    ]


def test_a_clock_that_was_installed_leaves_with_its_block() -> None:
    manual = clock.ManualClock(datetime(2026, 1, 1, tzinfo=UTC))

    def fail() -> None:
        with clock.use(manual):
            manual.advance(days=1)
            assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert clock.now() > datetime(2026, 1, 2, tzinfo=UTC)


# --- ids -------------------------------------------------------------------------------------------------


def test_an_id_has_the_layout_of_rfc_9562(monkeypatch: pytest.MonkeyPatch) -> None:
    # The moment of the RFC's own example (appendix A.6): 2022-02-22T19:22:22Z.
    monkeypatch.setattr(time, "time_ns", lambda: 0x017F22E279B0 * 1_000_000)
    monkeypatch.setattr(ids, "_last", 0)
    made = uuid7()
    assert str(made).startswith("017f22e2-79b0-7")
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


@given(st.lists(st.integers(0, (1 << 47) * 1_000_000), min_size=2, max_size=60))
def test_ids_increase_whatever_the_machines_clock_does(readings: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        left = iter(readings)
        patch.setattr(time, "time_ns", lambda: next(left))
        patch.setattr(ids, "_last", 0)
        made = [uuid7() for _ in readings]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert all(one.version == 7 and one.variant == RFC_4122 for one in made)
    assert made[0].int >> 80 == readings[0] // 1_000_000


def test_ids_of_many_threads_are_distinct_and_increase_in_each() -> None:
    gate = threading.Barrier(8)
    made: list[list[UUID]] = [[] for _ in range(8)]

    def make(mine: list[UUID]) -> None:
        gate.wait()
        mine.extend(uuid7() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set().union(*made)) == 16_000
    assert all(mine == sorted(mine) for mine in made)
    assert uuid7() > max(mine[-1] for mine in made), "what happens after all of them sorts after all of them"


# --- digests ---------------------------------------------------------------------------------------------


def test_the_example_of_rfc_8785_comes_out_byte_for_byte() -> None:
    value = json.loads(
        r"""{
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }"""
    )
    assert (
        canonical_json(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_sort_by_utf_16_as_rfc_8785_wants() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = list(json.loads(canonical_json(dict.fromkeys(keys, 0))))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


# RFC 8785, appendix B: IEEE 754 bits and what they are written as.
@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(bits: str, text: str) -> None:
    [number] = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number) == text.encode()


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        10**400,
        "\ud800",
        {"\udfff": 1},
        {1: "a key that is no text"},
        b"bytes",
        object(),
        {"deep": [{"in": [math.nan]}]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        canonical_json(value)
    assert (refused.value.code, refused.value.status) == ("not_canonical", 400)


def test_nesting_without_end_is_refused_and_does_not_crash() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        canonical_json(deep)
    while deep:  # taken apart by hand: freeing it in one go recurses too
        deep = deep.pop()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


def shuffled(value: Any) -> Any:
    """The same JSON value with its members in another order."""
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    if isinstance(value, dict):
        names = random.Random(1).sample(list(value), len(value))
        return {name: shuffled(value[name]) for name in names}
    return value


@given(JSON)
def test_canonical_json_means_the_same_and_is_its_own_canonical_form(value: Any) -> None:
    data = canonical_json(value)
    # Every number is a double to RFC 8785, so a large float reads back as the integer it equals.
    again = json.loads(data, parse_int=float)
    assert again == value
    assert canonical_json(again) == data


@given(JSON)
def test_the_order_of_members_does_not_matter_to_a_digest(value: Any) -> None:
    assert digest_json(shuffled(value)) == digest_json(value)


def test_composed_and_decomposed_letters_are_different_text() -> None:
    assert digest_json("caf\u00e9") != digest_json("cafe\u0301")


def test_numbers_that_are_equal_have_one_digest() -> None:
    assert digest_json(1.0) == digest_json(1)
    assert digest_json(-0.0) == digest_json(0)
    assert digest_json(True) != digest_json(1)


def test_a_digest_names_its_algorithm() -> None:
    assert digest_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
