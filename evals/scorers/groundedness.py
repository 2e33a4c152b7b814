"""Groundedness, lexically: which of the answer's words and numbers stand in the passages it was given."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import regex

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.shapes import PASS_FROM, flag
from evals.scorers.stop_words import STOP_WORDS
from evals.scorers.words import UNSPACED, tokens
from registry.rendering.json_values import compact_json
from registry.shapes import document

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_RUN: Final = regex.compile(rf"[{UNSPACED}]+")
_HAS_DIGIT: Final = re.compile(r"\d")
_SHOWN: Final = 20


def numbers(text: str) -> set[str]:
    """The numbers in a text, written alike: `1,000` and `1000`, `2.50` and `2.5` are one. A single comma is a decimal one."""
    found: list[str] = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    return {_plain_number(number) for number in found}


def content_words(text: str) -> set[str]:
    """Words that carry meaning: no English stop words, nothing with a digit; pairs of characters where a script has no spaces."""
    folded = unicodedata.normalize("NFKC", text)
    pairs = {
        run[start : start + 2]
        for run in _RUN.findall(folded.lower())
        for start in range(max(len(run) - 1, 1))
    }
    spaced = tokens(_RUN.sub(" ", folded))
    return pairs | {word for word in spaced if word not in STOP_WORDS and not _HAS_DIGIT.search(word)}


def score(case: Case, answer: Answer, params: Params) -> Score:
    passages = list(case.context)
    if params["use_variables"]:
        passages.append(compact_json(dict(case.variables)))
    source = "\n".join(passages)
    if not source.strip():
        return Score.not_applicable("The case has no context.")
    said_words, said_numbers = content_words(answer.text), numbers(answer.text)
    if not said_words and not said_numbers:
        return Score.not_applicable("The answer has neither content words nor numbers.")
    strange_words = sorted(said_words - content_words(source))
    strange_numbers = sorted(said_numbers - numbers(source))
    said = len(said_words) + len(said_numbers)
    strange = len(strange_words) + len(strange_numbers)
    value = (said - strange) / said
    limit, strict = params["pass_from"], params["all_numbers"]
    return Score(
        value,
        None
        if limit is None and not strict
        else value >= (limit or 0) and not (strict and bool(strange_numbers)),
        f"{said - strange} of {said} words and numbers stand in the context.",
        {
            "words": len(said_words),
            "numbers": len(said_numbers),
            "unsupported_words": strange_words[:_SHOWN],
            "unsupported_numbers": strange_numbers[:_SHOWN],
        },
    )


def _plain_number(text: str) -> str:
    digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    whole, dot, rest = digits.partition(".")
    if dot and "." not in rest:
        digits = f"{whole}.{rest}".rstrip("0").rstrip(".")
    return digits.lstrip("0") or "0"


GROUNDEDNESS: Final = Scorer(
    "groundedness",
    "Groundedness (lexical)",
    measures="The share of the answer's content words and numbers that stand in the case's context, each counted once.",
    blind_to=(
        "Meaning: “is not safe” is as grounded as “is safe”, and facts put together wrongly count as supported. Paraphrases,"
        " inflected words and numbers in words count as unsupported. Stop words are English ones. It finds invented names and"
        " numbers; it is no detector of hallucination."
    ),
    schema=document(
        {
            "use_variables": flag(),
            "all_numbers": flag(),
            "pass_from": PASS_FROM,
        }
    ),
    score=score,
    limits=("pass_from", "all_numbers"),
)
