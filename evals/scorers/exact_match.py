"""Exact match, of texts or of JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.golds import MISSING, golds
from evals.scorers.json_answers import NotJsonError, look_up, parse_place, read_json, same_json, shown
from evals.scorers.shapes import PLACE, choice, flag
from evals.scorers.words import plain_text, squad_text
from registry.shapes import document

_NORMALISE: Final[Mapping[str, Callable[[str], str]]] = {
    "text": plain_text,
    "squad": squad_text,
    "none": lambda text: text,
}


def score(case: Case, answer: Answer, params: Params) -> Score:
    if case.expected is None:
        return Score.not_applicable(MISSING)
    if params["compare"] == "json" or params["path"]:
        return _json(case, answer, params)
    normalise = _NORMALISE[params["normalise"]]
    given = normalise(answer.text)
    matched = [gold for gold in golds(case) if normalise(gold) == given]
    reason = "It is an expected answer." if matched else "It is none of the expected answers."
    return Score.verdict(bool(matched), reason, {"compared": given[:200]})


def _json(case: Case, answer: Answer, params: Params) -> Score:
    try:
        given = read_json(answer.text, allow_fence=params["allow_fence"])
    except NotJsonError as error:
        return Score.verdict(False, str(error))
    expected = case.expected
    if path := params["path"]:
        place = parse_place(path, field="params.path")
        there, given = look_up(given, place)
        if not there:
            return Score.verdict(False, f"The answer has no {path}.")
        if isinstance(expected, Mapping):
            there, expected = look_up(expected, place)
            if not there:
                return Score.not_applicable(f"The expected answer has no {path}.")
    same = same_json(given, expected)
    reason = "It equals the expected value." if same else "It differs from the expected value."
    return Score.verdict(same, reason, {"found": shown(given), "expected": shown(expected)})


def _check(params: Params, field: str) -> None:
    if params["path"]:
        parse_place(params["path"], field=f"{field}.path")


EXACT_MATCH: Final = Scorer(
    "exact_match",
    "Exact match",
    measures=(
        "Whether the answer is one of the expected texts, or the same JSON value as the expected one,"
        " after the chosen normalising."
    ),
    blind_to="A right answer in other words, or with a sentence around it, is wrong.",
    schema=document(
        {
            "compare": choice("text", "json", default="text"),
            "normalise": choice(*_NORMALISE, default="text"),
            "path": {**PLACE, "default": None},
            "allow_fence": flag(),
        }
    ),
    score=score,
    binary=True,
    check=_check,
)
