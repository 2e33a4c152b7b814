"""ROUGE-L: the longest common subsequence of two texts, for any script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.golds import MISSING, golds
from evals.scorers.shapes import PASS_FROM
from evals.scorers.words import tokens
from registry.shapes import document

MAX_TOKENS: Final = 10_000


def common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, a whole row of the table at a time as the bits of one integer.

    Source: H. Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004, figure 2.
    """
    places: dict[str, int] = {}
    for index, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << index
    full = (1 << len(one)) - 1
    row = full
    for token in other:
        matched = row & places.get(token, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(one) - row.bit_count()


def rouge_l(given: Sequence[str], gold: Sequence[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of ROUGE-L, each 0 to 1; of two empty texts 1.

    Source: C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries", ACL workshop 2004, section 3.1 (beta = 1).
    """
    if not given or not gold:
        same = float(given == gold)
        return same, same, same
    common = common_subsequence(given, gold)
    return common / len(given), common / len(gold), 2 * common / (len(given) + len(gold))


def score(case: Case, answer: Answer, params: Params) -> Score:
    expected = golds(case)
    if not expected:
        return Score.not_applicable(MISSING)
    given = tokens(answer.text)[:MAX_TOKENS]
    found = [rouge_l(given, tokens(gold)[:MAX_TOKENS]) for gold in expected]
    precision, recall, value = max(found, key=lambda three: three[2])
    limit = params["pass_from"]
    return Score(
        value,
        None if limit is None else value >= limit,
        f"ROUGE-L F1 {value:.2f} with the nearest of {len(expected)} expected answers.",
        {"precision": round(precision, 4), "recall": round(recall, 4), "tokens": len(given)},
    )


ROUGE_L: Final = Scorer(
    "rouge_l",
    "ROUGE-L",
    measures=(
        "How much of the nearest expected answer stands in the answer, in the same order: F1 of the longest common subsequence."
    ),
    blind_to="Synonyms, inflection (words are not stemmed), negation, and whether what is said is true.",
    schema=document({"pass_from": PASS_FROM}),
    score=score,
)
