"""Token F1, as SQuAD v1.1 defines it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.golds import MISSING, golds
from evals.scorers.shapes import PASS_FROM, choice
from evals.scorers.words import squad_text, tokens
from registry.shapes import document


def token_f1(given: Sequence[str], gold: Sequence[str]) -> float:
    """The harmonic mean of precision and recall over two bags of tokens, 0 to 1.

    Source: `f1_score` in the evaluation script of SQuAD v1.1 (Rajpurkar et al., EMNLP 2016, section 6.1). Where either side is
    empty, 1 if both are, as the script of SQuAD 2.0 has it: v1.1 has no such case.
    """
    if not given or not gold:
        return float(given == gold)
    common = (Counter(given) & Counter(gold)).total()
    return 2 * common / (len(given) + len(gold))


def score(case: Case, answer: Answer, params: Params) -> Score:
    expected = golds(case)
    if not expected:
        return Score.not_applicable(MISSING)
    given = _cut(answer.text, params)
    value, best = max((token_f1(given, _cut(gold, params)), gold) for gold in expected)
    limit = params["pass_from"]
    return Score(
        value,
        None if limit is None else value >= limit,
        f"Token F1 {value:.2f} with the nearest of {len(expected)} expected answers.",
        {"nearest": best[:200], "tokens": len(given)},
    )


def _cut(text: str, params: Params) -> list[str]:
    return squad_text(text).split() if params["tokens"] == "squad" else tokens(text)


TOKEN_F1: Final = Scorer(
    "token_f1",
    "Token F1",
    measures="How far the words of the answer and of the nearest expected answer are the same, whatever their order.",
    blind_to=(
        "Word order, negation and synonyms. With the tokens of SQuAD a Chinese or Thai sentence is one token:"
        " use tokens: unicode for those."
    ),
    schema=document(
        {
            "tokens": choice("squad", "unicode", default="squad"),
            "pass_from": PASS_FROM,
        }
    ),
    score=score,
)
