from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.openai_http.sse import EventTooLargeError, SSEParser

LINE = st.text(alphabet=st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=12)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(
    events=st.lists(st.lists(LINE, min_size=1, max_size=3), max_size=5),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 10_000), max_size=20),
    bom=st.booleans(),
)
def test_events_come_out_the_same_wherever_the_bytes_are_cut(
    events: list[list[str]], newline: str, cuts: list[int], bom: bool
) -> None:
    text = "".join("".join(f"data: {line}{newline}" for line in event) + newline for event in events)
    data = ("\ufeff" if bom else "").encode() + text.encode()
    parser = SSEParser()
    found = [event for piece in pieces_of(data, cuts) for event in parser.feed(piece)]
    assert found == ["\n".join(event) for event in events]


def test_comments_and_other_fields_are_ignored_and_an_unfinished_event_is_not_given() -> None:
    parser = SSEParser()
    assert parser.feed(b": hello\nevent: x\nid: 1\nretry: 5\ndata:a\ndata\n\ndata: unfinished") == ["a\n"]
    assert parser.feed(b"\n") == []
    assert parser.feed(b"\n") == ["unfinished"]


def test_an_event_without_end_is_refused_whether_in_one_line_or_many() -> None:
    with pytest.raises(EventTooLargeError):
        SSEParser(max_event_bytes=100).feed(b"data: " + b"x" * 200)
    with pytest.raises(EventTooLargeError):
        SSEParser(max_event_bytes=100).feed(b"data: xxxxx\n" * 50)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_without_error(data: bytes) -> None:
    for event in SSEParser().feed(data):
        event.encode()
