from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from registry.policy import normalise

ALL = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


def test_each_character_is_the_same_composed_and_decomposed_folded_and_not() -> None:
    """What lets a text be folded character by character, for all of Unicode."""
    for char in ALL:
        folded = normalise(char)
        assert normalise(unicodedata.normalize("NFD", char)) == folded
        assert normalise(unicodedata.normalize("NFKD", char)) == folded
        assert normalise(char.casefold()) == folded
        assert normalise(folded) == folded


@given(st.text(), st.text())
def test_a_text_may_be_folded_in_two_parts(first: str, second: str) -> None:
    apart = normalise(first) + normalise(second)
    assert normalise(first + second) == apart.replace("  ", " ")


@given(st.text())
def test_equivalent_texts_are_the_same(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalise(unicodedata.normalize(form, text)) == normalise(text)


def test_controls_do_not_hide_a_phrase_in_plain_ascii_either() -> None:
    assert normalise("for\x08bid\x00den\x1f phrase") == "forbidden phrase"


def test_fillers_that_count_as_letters_show_nothing() -> None:
    assert normalise("for\u3164bid\uffa0den") == "forbidden"
