from __future__ import annotations

import random
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.rendering import (
    Bump,
    PromptSpec,
    Segment,
    SegmentKind,
    VersionError,
    diff_specs,
    diff_texts,
    is_newer,
    next_version,
    parse_version,
    suggest_bump,
)

words = st.lists(
    st.sampled_from(["a", "b", "the", "cat", " ", " ", "\n", "é", "猫", ",", "\r\n", "{{ x }}"]), max_size=60
)
texts = words.map("".join) | st.text(max_size=80)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_the_segments_give_back_both_texts(old: str, new: str) -> None:
    segments = diff_texts(old, new)
    assert "".join(s.text for s in segments if s.kind is not SegmentKind.INSERT) == old
    assert "".join(s.text for s in segments if s.kind is not SegmentKind.DELETE) == new
    assert all(s.text for s in segments)
    kinds = [s.kind for s in segments]
    assert all(a is not b for a, b in pairwise(kinds))
    if old == new:
        assert set(kinds) <= {SegmentKind.EQUAL}


def test_a_changed_word_is_the_only_difference() -> None:
    assert diff_texts("Be kind to the user.\n", "Be polite to the user.\n") == (
        Segment(SegmentKind.EQUAL, "Be "),
        Segment(SegmentKind.DELETE, "kind"),
        Segment(SegmentKind.INSERT, "polite"),
        Segment(SegmentKind.EQUAL, " to the user.\n"),
    )
    assert [s.text for s in diff_texts("我爱猫", "我爱狗") if s.kind is not SegmentKind.EQUAL] == ["猫", "狗"]


@pytest.mark.parametrize("alphabet", [3, 5_000])
def test_a_hundred_kilobytes_are_compared_in_linear_time(alphabet: int) -> None:
    chance = random.Random(4)
    old = [f"w{chance.randrange(alphabet)}" for _ in range(25_000)]
    new = [word for word in old if chance.random() > 0.05]
    other = [f"v{chance.randrange(alphabet)}" for _ in range(25_000)]
    started = time.process_time()
    for separator in (" ", "\n"):
        diff_texts(separator.join(old), separator.join(new))
        diff_texts(separator.join(old), separator.join(other))
    assert time.process_time() - started < 6


def spec(**parts: Any) -> PromptSpec:
    return PromptSpec.from_dict({"messages": [{"role": "user", "content": "x"}], **parts})


def schema(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def test_an_inserted_message_leaves_the_others_equal() -> None:
    user, system = {"role": "user", "content": "x"}, {"role": "system", "content": "s"}
    found = diff_specs(spec(messages=[user]), spec(messages=[system, user]))
    assert [(m.old_index, m.new_index, m.changed) for m in found.messages] == [(None, 0, True), (0, 1, False)]
    assert found.output_schema == ()


def test_schemas_are_compared_as_canonical_json() -> None:
    old = spec(input_schema={"type": "object", "properties": {}}, output_schema={"type": "string"})
    new = spec(input_schema={"properties": {}, "type": "object"})
    found = diff_specs(old, new)
    assert all(s.kind is SegmentKind.EQUAL for s in found.input_schema)
    assert {s.kind for s in found.output_schema} == {SegmentKind.DELETE}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("v1.3.0", "1.3.0"), ("1.3.0", "1.3.0"), (" 1.0.0-rc.1 ", "1.0.0-rc.1"), ("1.0.0+b7", "1.0.0+b7")],
)
def test_a_version_has_one_canonical_form(text: str, canonical: str) -> None:
    assert parse_version(text) == canonical


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "vv1.2.3", "1.2.3-", "latest", "1.2.3\x00", "9" * 100, "1.2.3 4"]
)
def test_what_is_no_semantic_version_is_refused(text: str) -> None:
    with pytest.raises(VersionError):
        parse_version(text)


versions = st.builds("{}.{}.{}".format, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@given(versions, st.sampled_from(list(Bump)))
def test_the_next_version_is_always_newer(current: str, bump: Bump) -> None:
    following = next_version(current, bump)
    assert is_newer(following, current)
    assert not is_newer(current, following)
    assert parse_version(f"v{following}") == following


def test_the_first_version_is_one() -> None:
    assert next_version(None, Bump.PATCH) == "1.0.0"
    assert next_version("v1.3.0", Bump.MINOR) == "1.4.0"
    assert not is_newer("1.0.0", "v1.0.0")
    assert is_newer("1.10.0", "1.9.0")


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "bump", "words"),
    [
        ({}, {}, Bump.PATCH, None),
        ({}, {"messages": [{"role": "user", "content": "y"}]}, Bump.PATCH, "wording"),
        ({}, {"params": {"temperature": 0.1}}, Bump.PATCH, "parameters"),
        ({"input_schema": schema(a=TEXT)}, {}, Bump.MAJOR, "a is gone"),
        ({}, {"input_schema": schema(a=TEXT)}, Bump.MINOR, "new and optional"),
        ({}, {"input_schema": schema(("a",), a=TEXT)}, Bump.MAJOR, "required"),
        (
            {"input_schema": schema(a=TEXT)},
            {"input_schema": schema(("a",), a=TEXT)},
            Bump.MAJOR,
            "required now",
        ),
        (
            {"input_schema": schema(("a",), a=TEXT)},
            {"input_schema": schema(a=TEXT)},
            Bump.MINOR,
            "optional now",
        ),
        (
            {"input_schema": schema(a=TEXT)},
            {"input_schema": schema(a={"type": "integer"})},
            Bump.MAJOR,
            "other values",
        ),
        (
            {"input_schema": schema(a=TEXT)},
            {"input_schema": schema(a={**TEXT, "description": "d"})},
            Bump.PATCH,
            "description",
        ),
        ({}, {"input_schema": {**schema(), "additionalProperties": False}}, Bump.MAJOR, "other rules"),
        ({}, {"output_schema": TEXT}, Bump.MAJOR, "schema now"),
        ({"output_schema": TEXT}, {"output_schema": {"type": "integer"}}, Bump.MAJOR, "answer's schema"),
        ({"output_schema": TEXT}, {"output_schema": {**TEXT, "title": "t"}}, Bump.PATCH, None),
        ({}, {"tools": [{"type": "function", "function": {"name": "f"}}]}, Bump.MINOR, "tools"),
        ({}, {"params": {"response_format": "json_object"}}, Bump.MAJOR, "format"),
    ],
)
def test_the_bump_follows_from_what_callers_and_readers_notice(
    old: dict[str, Any], new: dict[str, Any], bump: Bump, words: str | None
) -> None:
    base = {"input_schema": schema()}
    found, reasons = suggest_bump(spec(**{**base, **old}), spec(**{**base, **new}))
    assert found is bump
    if words is None:
        assert reasons == () or reasons[0].bump is bump
    else:
        assert words in reasons[0].message
