from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from registry.policy import MAX_HELD_CHARS, Policy, PolicyError, Window, normalise
from registry.shown import everything_shown

# Few letters, so that matches and near misses are common; and all that normalising does: nothing, several characters,
# spaces, marks that combine, letters that fold to two.
LETTERS = [
    *"aabbcc  _",
    "A",
    "á",
    "a\u0301",
    "\u200b",
    "\u0301",
    "\n",
    "\u00a0",
    "ﬀ",
    "ß",
    "½",
    "\x08",
    "ﷺ",
    "가",
    ",",
    "{",
    '"',
]
PHRASES = ["ab", "a b", "abcab", "ff", "s", "1⁄2", "b, c", "c a"]
EXPRESSIONS = [
    r"/a[bc]{1,4}a/",
    r"/\bab\b/",
    r"/\Bab\B/",
    r"/^ab/",
    r"/b(a|ab)\b/",
    r"/c\b.{0,3}a/",
    r"/[^a]{3}/",
    r"/(ab|b c){2}/",
    r"/a.{0,5}c/",
    r"/b\b.{0,11}a\b/",
]


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


def as_json(text: str) -> str:
    """The text inside JSON, its letters escaped."""
    return '{"say": "' + "".join(f"\\u{ord(char):04x}" for char in text) + '"}'


PLAIN = st.one_of(st.text(alphabet="ab ", max_size=12), st.text(alphabet="abc _", max_size=25))
WILD = st.lists(st.sampled_from(LETTERS), max_size=40).map("".join)
EACH = list(range(200))
PLACES = st.one_of(st.just(EACH), st.lists(st.integers(0, 200), max_size=12))
TEXTS = st.builds(cut, st.one_of(PLAIN, WILD, PLAIN.map(as_json)), PLACES)
POLICIES = st.lists(st.sampled_from([*PHRASES, *EXPRESSIONS]), min_size=1, max_size=2, unique=True)
MANY = settings(max_examples=200, deadline=None)


def policy(patterns: Sequence[str], mode: str = "window") -> Policy:
    return Policy.parse({"mode": mode, "banned": [{"id": one[:80], "pattern": one} for one in patterns]})


def streamed(rules: Policy, chunks: Iterable[str]) -> tuple[list[str], list[str]]:
    """What a user was shown piece by piece, and the hits: as a stream does it, with the whole check at its end."""
    window, shown, text = rules.window(), [], ""
    for chunk in chunks:
        text += chunk
        shown.append(window.feed(chunk))
        if window.hits:
            return shown, window.hits
    hits = rules.check(everything_shown(text))
    if not hits:
        shown.append(window.rest())
    return shown, hits


@MANY
@given(TEXTS, POLICIES)
def test_nothing_that_was_shown_holds_a_match_at_any_moment(chunks: list[str], patterns: list[str]) -> None:
    rules = policy(patterns)
    shown, _ = streamed(rules, chunks)
    for length in range(len(shown) + 1):
        assert rules.check(everything_shown("".join(shown[:length]))) == []


@MANY
@given(TEXTS, POLICIES)
def test_what_was_shown_is_the_beginning_of_the_answer_and_all_of_a_clean_one(
    chunks: list[str], patterns: list[str]
) -> None:
    shown, hits = streamed(policy(patterns), chunks)
    text = "".join(chunks)
    assert text.startswith("".join(shown))
    assert hits or "".join(shown) == text


@MANY
@given(TEXTS, POLICIES)
def test_it_flags_what_buffer_flags_and_nothing_else(chunks: list[str], patterns: list[str]) -> None:
    _, hits = streamed(policy(patterns), chunks)
    expected = policy(patterns, "buffer").check(everything_shown("".join(chunks)))
    assert bool(hits) == bool(expected)
    # A stream ends at its first hit, so what would have followed is not among the reasons.
    assert set(hits) <= set(expected)


@MANY
@given(TEXTS, POLICIES, st.text(alphabet="abc \u0301", max_size=5))
def test_no_match_begins_in_what_was_shown_whatever_follows(
    chunks: list[str], patterns: list[str], later: str
) -> None:
    rules = policy(patterns)
    window = rules.window()
    shown = "".join(map(window.feed, chunks))
    assume(not window.hits)
    for pattern, expression in rules.expressions:
        ahead = expression.search(normalise("".join(chunks) + later))
        assert ahead is None or ahead.start() >= len(normalise(shown).rstrip(" ")), pattern


@given(TEXTS, st.lists(st.sampled_from(PHRASES), min_size=1, max_size=3))
def test_no_more_is_held_back_than_the_longest_entry_asks_for(chunks: list[str], patterns: list[str]) -> None:
    rules = policy(patterns)
    text = "".join(chunks)
    assume(not rules.check(text) and text.lstrip()[:1] not in {"{", "["})
    window, shown = rules.window(), ""
    for chunk in chunks:
        shown += window.feed(chunk)
    longest = max(len(phrase) for _, phrase in rules.phrases)
    widest = max(len(normalise(letter)) for letter in LETTERS)
    assert len(normalise(text)) - len(normalise(shown)) < longest - (-longest // 4) + widest


@pytest.mark.parametrize("pattern", ["ab", "a b", *EXPRESSIONS])
def test_every_short_text_keeps_every_promise_character_by_character(pattern: str) -> None:
    rules = policy([pattern])
    for letters in chain.from_iterable(product("abc ", repeat=length) for length in range(6)):
        shown, hits = streamed(rules, letters)
        assert hits == rules.check("".join(letters))
        assert not any(rules.check(text) for text in accumulate(shown)), letters
        assert hits or "".join(shown) == "".join(letters)


def test_text_leaves_as_soon_as_it_is_out_of_reach() -> None:
    window = policy(["forbidden"]).window()
    assert window.feed("one two three ") == "one t"
    assert window.feed("forb") == "wo t"
    assert window.feed("id no more") == "hree forbi"
    assert window.rest() == "d no more"


def test_padding_that_is_not_seen_cannot_push_a_phrase_out_of_the_window() -> None:
    window = policy(["forbidden phrase"]).window()
    shown = [window.feed(text) for text in ["so: forbid", *["\u200b\u0301" * 500] * 40, "den  ", " " * 5_000]]
    assert "".join(shown) == ""
    assert window.hits == []
    assert window.feed("phrase") == ""
    assert window.hits == ["forbidden phrase"]


def test_only_whole_words_leave_where_an_entry_asks_for_the_edge_of_one() -> None:
    window = policy([r"/\bass\b/"]).window()
    shown = [window.feed(piece) for piece in ("the ", "cl", "ass", "ic", " one")]
    assert shown == ["", "the", "", "", " classic"]
    assert window.feed(" ass") == " one"
    assert not window.hits
    assert window.feed(".") == ""
    assert window.hits == [r"/\bass\b/"]


def test_an_answer_that_may_be_json_waits_for_its_end() -> None:
    rules = policy(["launch code"])
    chunks = ['  {"say": "the launch', "\\u0020", 'code is far away", "more": "', "x" * 500, '"}']
    shown, hits = streamed(rules, chunks)
    assert (shown, hits) == ([""] * len(chunks), ["launch code"])
    clean = ['{"say": "nothing of it', "x" * 500, '"}']
    assert streamed(rules, clean) == (["", "", "", "".join(clean)], [])


def test_nothing_leaves_after_a_hit() -> None:
    window = policy(["no"]).window()
    assert window.feed("yes no ") == ""
    assert window.feed("and much more") == ""
    assert window.hits == ["no"]


def test_without_entries_everything_leaves_at_once() -> None:
    assert policy([]).window().feed("hello ") == "hello "


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("/a{1001}/", "at most 1,000"),
        ("/(abc){300}.{0,900}/", "at most 1,000"),
        ("ﷺ" * 100, "at most 1,000"),
        ("/end$/", "end of the answer"),
        (r"/(a|b\Z)/", "end of the answer"),
        (r"/\b/", "at least one character"),
        ("/a*/", "upper bound"),
    ],
    ids=["wide", "grouped", "expands", "end", "end of text", "empty", "unbounded"],
)
def test_what_cannot_be_held_back_is_refused_in_this_mode_at_its_place(pattern: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(["fine", pattern])
    assert caught.value.field == "banned[1].pattern"
    assert says in caught.value.message


@pytest.mark.parametrize("pattern", ["/a{1001}/", "/end$/", "ﷺ" * 100], ids=["wide", "end", "expands"])
def test_buffer_takes_what_window_refuses(pattern: str) -> None:
    assert policy([pattern], "buffer").buffers


def test_the_longest_entry_that_is_taken_can_be_held() -> None:
    assert policy([f"/a{{{MAX_HELD_CHARS}}}/"]).window().feed("b" * 2_000) == "b" * 1_000


def test_the_work_grows_with_the_text_and_not_with_its_square() -> None:
    """Counted, not timed: how many characters the entries are shown over a whole answer."""

    def scanned(length: int) -> int:
        looked = 0
        (entry,) = policy(["/[a-z]{1,99} forbidden/"]).entries

        def find(text: str, start: int) -> int:
            nonlocal looked
            looked += len(text) - start
            return entry.find(text, start)

        window = Window([type(entry)(entry.name, find, entry.longest)])
        for _ in range(length):
            window.feed("t")
        return looked

    assert scanned(8_000) <= 5.1 * 8_000
