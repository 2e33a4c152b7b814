"""Our scores beside those of the packages and papers that define them."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest
import sacrebleu
from absl import logging as absl_logging
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]  # ships no types

from evals.scorers import scorer_by_name
from evals.scorers.rouge_l import common_subsequence
from evals.scorers.words import tokens
from tests.evals.scorers.scored_cases import scored

# rouge_score brings absl, whose log handler closes the stream that it found when it was imported: pytest's own.
absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)

WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "sat",
    "lay",
    "on",
    "mat",
    "3",
    "2012",
    "Denver",
    "Broncos",
    "it's",
    "well-known",
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=15).map(" ".join)


def sentences(seed: int, n: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(n)]


@given(text=SENTENCES, expected=st.lists(SENTENCES, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_sentence_bleu_is_that_of_sacrebleu(text: str, expected: list[str]) -> None:
    reference = sacrebleu.sentence_bleu(text, expected).score / 100
    assert scored("bleu", text, expected=expected).value == pytest.approx(min(reference, 1.0), abs=1e-12)


@pytest.mark.parametrize("params", [{}, {"lowercase": True}, {"tokenize": "char"}, {"tokenize": "zh"}])
@pytest.mark.parametrize("seed", range(5))
def test_the_corpus_score_is_made_of_the_counts_of_single_answers(seed: int, params: dict[str, Any]) -> None:
    answers, one, two = (sentences(seed * 10 + side, 40) for side in range(3))
    scorer = scorer_by_name("bleu")
    evidence = [
        scored("bleu", text, expected=list(golds), **params).evidence
        for text, *golds in zip(answers, one, two, strict=True)
    ]
    pooled = scorer.pool and scorer.pool(evidence, scorer.read_params(params))
    metric = sacrebleu.metrics.BLEU(**params)  # type: ignore[attr-defined]
    reference = metric.corpus_score(answers, [one, two])
    assert pooled is not None
    assert pooled.value == pytest.approx(reference.score / 100, abs=1e-12)
    assert pooled.signature == str(metric.get_signature())


def test_the_corpus_score_of_nothing_is_nothing() -> None:
    scorer = scorer_by_name("bleu")
    assert scorer.pool is not None
    assert scorer.pool([], scorer.read_params({})) is None


@pytest.fixture(scope="module")
def rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)


@given(text=st.text("abc de.,-_'1\n", max_size=60), gold=st.text("abc de.,-_'1\n", max_size=60))
@settings(max_examples=200, deadline=None)
def test_rouge_l_of_ascii_is_that_of_the_reference(rouge: RougeScorer, text: str, gold: str) -> None:
    if not tokens(text) and not tokens(gold):
        return  # the reference says 0, we say that nothing equals nothing
    reference = rouge.score(gold, text)["rougeL"]
    found = scored("rouge_l", text, expected=gold)
    assert found.value == pytest.approx(reference.fmeasure)
    assert found.evidence["precision"] == pytest.approx(reference.precision, abs=1e-4)
    assert found.evidence["recall"] == pytest.approx(reference.recall, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "gold", "value"),
    [
        ("今天天气很好", "今天天气很好", 1.0),
        ("今天天气很好", "今天天气不好", 5 / 6),
        ("สวัสดีครับ", "สวัสดีครับ", 1.0),
        ("नमस्ते दुनिया", "नमस्ते दुनिया", 1.0),
        ("Привет, мир", "привет мир!", 1.0),
        ("Ａｐｐｌｅ", "apple", 1.0),
    ],
)
def test_rouge_l_reads_every_script(text: str, gold: str, value: float) -> None:
    assert scored("rouge_l", text, expected=gold).value == pytest.approx(value)


# C.-Y. Lin (2004), section 3.1: sentences S2 to S4 beside S1, with beta = 1.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("police kill the gunman", 0.75),
        ("the gunman kill police", 0.5),
        ("the gunman police killed", 0.5),
        ("police killed the gunman", 1.0),
    ],
)
def test_rouge_l_agrees_with_its_paper(text: str, value: float) -> None:
    found = scored("rouge_l", text, expected="police killed the gunman").value
    assert found == pytest.approx(value)


@given(
    one=st.lists(st.sampled_from("abcd"), max_size=12), other=st.lists(st.sampled_from("abcd"), max_size=12)
)
def test_the_bits_count_what_the_table_counts(one: list[str], other: list[str]) -> None:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(one, other) == table[-1][-1]


# Computed by hand by the rules of the evaluation script of SQuAD v1.1.
@pytest.mark.parametrize(
    ("text", "expected", "exact", "f1"),
    [
        ("The Denver Broncos!", ["Denver Broncos"], 1.0, 1.0),
        ("Broncos", ["Denver Broncos"], 0.0, 2 / 3),
        ("in the third quarter of 2012", ["third quarter"], 0.0, 4 / 7),
        ("Saint Bernadette Soubirous", ["Bernadette", "Saint Bernadette Soubirous"], 1.0, 1.0),
        ("a copper statue of Christ", ["a golden statue of the Virgin Mary"], 0.0, 4 / 9),
        ("the the cat", ["cat cat"], 0.0, 2 / 3),
        ("1990's", ["1990s"], 1.0, 1.0),
        ("blue", ["red", "green"], 0.0, 0.0),
        ("The", ["an"], 1.0, 1.0),
    ],
)
def test_exact_match_and_f1_agree_with_squad(text: str, expected: list[str], exact: float, f1: float) -> None:
    assert scored("exact_match", text, expected=expected, normalise="squad").value == exact
    assert scored("token_f1", text, expected=expected).value == pytest.approx(f1)


def test_unicode_tokens_give_chinese_answers_a_partial_score() -> None:
    text, gold = "天气很好", "天气不好"
    assert scored("token_f1", text, expected=gold).value == 0.0
    assert scored("token_f1", text, expected=gold, tokens="unicode").value == pytest.approx(0.75)
