"""Cases as hypothesis makes them up."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from registry.datasets import CaseContent, NewCase

# What a case may hold: no NUL (nor its escape spelled out, which the strict parser refuses), no halves of surrogate pairs, numbers
# with a canonical form.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: "\\u0000" not in text
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**52), 2**52)
    | st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)
    | TEXT
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NOTES = TEXT.map(str.strip)
CONTENTS = st.builds(
    CaseContent,
    variables=st.dictionaries(TEXT | st.sampled_from(["request", "service"]), VALUES, max_size=4),
    expected=VALUES,
    context=st.lists(TEXT.filter(bool), max_size=3).map(tuple),
    tags=st.lists(TEXT.filter(bool), max_size=3, unique=True).map(tuple),
    note=NOTES,
)
KEYS = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda key: key != "new")


def new_cases() -> st.SearchStrategy[list[NewCase]]:
    """Cases with different keys."""
    one = st.builds(
        NewCase, content=CONTENTS, key=KEYS, feature=st.none() | st.sampled_from(["assistant", "summary"])
    )
    return st.lists(one, min_size=1, max_size=5, unique_by=lambda case: case.key)
