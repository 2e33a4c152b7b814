from __future__ import annotations

import semver
from hypothesis import given
from hypothesis import strategies as st

from registry.content import Kind, artifact_digest
from registry.versioning import order_key

identifiers = st.one_of(st.integers(0, 10**6).map(str), st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True))
versions = st.builds(
    semver.Version,
    st.integers(0, 120),
    st.integers(0, 120),
    st.integers(0, 120),
    st.none() | st.lists(identifiers, min_size=1, max_size=4).map(".".join),
)


@given(versions, versions)
def test_keys_sort_as_versions_do(one: semver.Version, other: semver.Version) -> None:
    assert (order_key(one) < order_key(other)) == (one < other)
    assert (order_key(one) == order_key(other)) == (one == other)


@given(versions)
def test_keys_fit_their_column_and_sort_alike_under_every_collation(version: semver.Version) -> None:
    key = order_key(version)

    assert len(key) <= 200
    assert set(key) <= set("0123456789abcdef")


def test_digests_are_stable_and_do_not_depend_on_the_order_of_keys() -> None:
    body = {"messages": [{"role": "user", "content": "Grüße"}], "params": {"temperature": 0.5}}
    reordered = {"params": {"temperature": 0.5}, "messages": [{"content": "Grüße", "role": "user"}]}

    one, other = (
        artifact_digest(kind=Kind.PROMPT, name="a", version="1.0.0", body=value)
        for value in (body, reordered)
    )

    assert one == other == "sha256:eb46891bb46a13dfbda8cb79f30c6247db1419e0bfe8eab98c18209900584079"
