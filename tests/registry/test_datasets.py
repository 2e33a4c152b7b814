from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core.errors import InvalidInput
from registry.dataset_versions import choose, next_after
from registry.datasets import CaseContent, commitment, new_key, new_salt, version_digest
from registry.datasets import CaseSource as Source
from registry.datasets import SourceKind as Kind
from registry.errors import BumpTooLow
from tests.registry.cases import CONTENTS

SALT = "00" * 16


@given(CONTENTS)
def test_a_case_is_read_back_as_it_was_written(content: CaseContent) -> None:
    assert CaseContent.from_dict(content.to_dict()) == content
    assert CaseContent.stored(content.to_dict()) == content


@given(CONTENTS, CONTENTS)
def test_a_commitment_binds_to_just_one_content(one: CaseContent, other: CaseContent) -> None:
    salt = new_salt()
    # Compared as canonical JSON: Python takes 1 and true for equal.
    assert (commitment(one, salt) == commitment(other, salt)) == (
        commitment(one, SALT) == commitment(other, SALT)
    )
    assert commitment(one, salt) == commitment(CaseContent.from_dict(one.to_dict()), salt)


@given(CONTENTS)
def test_without_its_salt_a_commitment_says_nothing(content: CaseContent) -> None:
    assert commitment(content, new_salt()) != commitment(content, new_salt())


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["sha256:0", "sha256:1"])), max_size=4))
def test_a_version_digest_covers_name_number_keys_commitments_and_order(cases: list[tuple[str, str]]) -> None:
    digest = version_digest("held-out", "1.0.0", cases)
    assert digest.startswith("sha256:")
    others = [
        version_digest("other", "1.0.0", cases),
        version_digest("held-out", "1.0.1", cases),
        version_digest("held-out", "1.0.0", [*cases, ("z", "sha256:2")]),
    ]
    if cases != cases[::-1]:
        others.append(version_digest("held-out", "1.0.0", cases[::-1]))
    assert digest not in others


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"variables": ["x"]}, "content.variables"),
        ({"tags": ["a", "a"]}, "content.tags"),
        ({"tags": "a"}, "content.tags"),
        ({"context": [""]}, "content.context[0]"),
        ({"note": "x" * 3_000}, "content.note"),
        ({"colour": "red"}, "content.colour"),
        ({"expected": 2**60}, "content.expected"),
        ({"expected": "\x00"}, "content.expected"),
        ({"variables": {"text": "x" * 70_000}}, "content"),
    ],
)
def test_a_fault_names_its_member(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        CaseContent.from_dict({"variables": {}, **change})
    assert refused.value.field == field


def test_variables_are_needed() -> None:
    with pytest.raises(InvalidInput) as refused:
        CaseContent.from_dict({"expected": "x"})
    assert refused.value.field == "content.variables"


def test_a_key_says_where_a_case_came_from_and_nothing_of_what_it_says() -> None:
    assert new_key(Source(Kind.INFERENCE, "0199-AB")) == "inference-0199-ab"
    assert new_key(Source(Kind.MANUAL)) != new_key(Source(Kind.MANUAL))
    assert new_key(Source(Kind.REVIEW, "not a name")).startswith("case-")


@pytest.mark.parametrize(
    ("latest", "gone", "wanted"),
    [(None, False, "1.0.0"), ("1.0.0", False, "1.1.0"), ("1.1.0", True, "2.0.0")],
)
def test_new_cases_raise_the_minor_number_and_changed_ones_the_major(
    latest: str | None, gone: bool, wanted: str
) -> None:
    assert next_after(latest, gone=gone).version == wanted


def test_a_number_below_what_the_change_needs_is_refused() -> None:
    with pytest.raises(BumpTooLow) as refused:
        choose("1.1.0", proposed=next_after("1.0.0", gone=True), published=["1.0.0"], name="x")
    assert refused.value.extra["minimum"] == "2.0.0"
    assert (
        str(choose("v3.0.0", proposed=next_after("1.0.0", gone=True), published=["1.0.0"], name="x"))
        == "3.0.0"
    )
