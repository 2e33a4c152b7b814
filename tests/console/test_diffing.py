from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from promptstore.console.diffing import (
    MAX_REFINED_TOKENS,
    Op,
    Segment,
    as_segments,
    segments_of,
    side_by_side,
)

TEXTS = st.text(alphabet="ab .\n", max_size=40)


def side(segments: list[Segment], left_out: Op) -> str:
    return "".join(segment.text for segment in segments if segment.op is not left_out)


@given(TEXTS, TEXTS)
def test_segments_hold_both_texts_whole(before: str, after: str) -> None:
    segments = segments_of(before, after)
    assert side(segments, Op.INSERT) == before
    assert side(segments, Op.DELETE) == after


@given(TEXTS, TEXTS)
def test_rows_hold_both_texts_line_by_line(before: str, after: str) -> None:
    rows = side_by_side(segments_of(before, after))
    for lines, text in (([row.before for row in rows], before), ([row.after for row in rows], after)):
        shown = ["".join(part.text for part in line.segments) for line in lines if line.number is not None]
        assert "\n".join(shown) == text
        assert [line.number for line in lines if line.number is not None] == list(range(1, len(shown) + 1))


def test_an_unchanged_line_stays_level_with_itself() -> None:
    rows = side_by_side(segments_of("first\nold\nolder\nlast", "first\nnew\nlast"))
    assert [(row.before.number, row.after.number) for row in rows] == [(1, 1), (2, 2), (3, None), (4, 3)]
    assert [row.before.has_change for row in rows] == [False, True, True, False]


def test_a_line_end_alone_does_not_mark_the_line_before_it() -> None:
    rows = side_by_side(segments_of("kept", "kept\nadded"))
    assert [row.after.has_change for row in rows] == [False, True]


def test_words_inside_a_changed_line_are_told_apart() -> None:
    assert segments_of("say so.", "say why.") == [
        Segment(Op.EQUAL, "say "),
        Segment(Op.DELETE, "so"),
        Segment(Op.INSERT, "why"),
        Segment(Op.EQUAL, "."),
    ]


def test_a_huge_rewritten_block_is_not_refined() -> None:
    before, after = "a " * MAX_REFINED_TOKENS, "b " * MAX_REFINED_TOKENS
    assert [segment.op for segment in segments_of(before, after)] == [Op.DELETE, Op.INSERT]


def test_segments_come_as_pairs_mappings_or_objects() -> None:
    @dataclass
    class Theirs:
        op: str
        text: str

    assert as_segments([("equal", "a"), {"op": "insert", "text": "b"}, Theirs("delete", "c")]) == [
        Segment(Op.EQUAL, "a"),
        Segment(Op.INSERT, "b"),
        Segment(Op.DELETE, "c"),
    ]
