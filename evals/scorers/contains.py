"""What an answer must say, and what it must not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.golds import golds
from evals.scorers.shapes import choice, texts
from promptstore.core.errors import InvalidInput
from registry.policy import PolicyError, compile_expression, normalise
from registry.shapes import document

_WHAT: Final = {
    "texts": texts("texts of 1 to 300 characters"),
    "expressions": texts("expressions of 1 to 300 characters"),
}


def contains(case: Case, answer: Answer, params: Params) -> Score:
    wanted = params["texts"] or ([] if params["expressions"] else list(golds(case)))
    if not wanted and not params["expressions"]:
        return Score.not_applicable("The case has no expected answer, and no texts were given.")
    found, missing = _split(answer.text, wanted, params["expressions"])
    passed = not missing if params["mode"] == "all" else bool(found)
    reason = f"It lacks “{missing[0][:80]}”." if missing and not passed else "It says what it must."
    return Score.verdict(passed, reason, {"found": found[:20], "missing": missing[:20]})


def not_contains(_case: Case, answer: Answer, params: Params) -> Score:
    found, _ = _split(answer.text, params["texts"], params["expressions"])
    reason = f"It holds “{found[0][:80]}”." if found else "It holds none of them."
    return Score.verdict(not found, reason, {"found": found[:20]})


def _split(text: str, wanted: Iterable[str], expressions: Iterable[str]) -> tuple[list[str], list[str]]:
    """What of it the text holds, and what not."""
    normalised = normalise(text)
    found: list[str] = []
    missing: list[str] = []
    for phrase in wanted:
        (found if normalise(phrase).strip() in normalised else missing).append(phrase)
    for source in expressions:
        (found if _compiled(source).search(normalised) else missing).append(source)
    return found, missing


@lru_cache(maxsize=500)
def _compiled(source: str) -> re.Pattern[str]:
    return compile_expression(source, "expressions")


def _check(params: Params, field: str) -> None:
    for index, phrase in enumerate(params["texts"]):
        if not normalise(phrase).strip():
            raise InvalidInput(
                "Nothing is left of this text once it is normalised.", field=f"{field}.texts[{index}]"
            )
    for index, source in enumerate(params["expressions"]):
        try:
            compile_expression(source, f"{field}.expressions[{index}]")
        except PolicyError as error:
            raise InvalidInput(error.message, field=error.field) from error


def _check_not(params: Params, field: str) -> None:
    if not params["texts"] and not params["expressions"]:
        raise InvalidInput("Name at least one text or expression.", field=f"{field}.texts")
    _check(params, field)


_BLIND: Final = "Meaning: “not guaranteed” holds “guaranteed”. Short texts also match inside longer words."

CONTAINS: Final = Scorer(
    "contains",
    "Contains",
    measures=(
        "Whether the answer holds the given texts and expressions (without any: an expected text), once case, accents, look-alike"
        " forms and invisible characters are folded."
    ),
    blind_to=_BLIND,
    schema=document({**_WHAT, "mode": choice("all", "any", default="any")}),
    score=contains,
    binary=True,
    check=_check,
)

NOT_CONTAINS: Final = Scorer(
    "not_contains",
    "Does not contain",
    measures="Whether the answer holds none of the given texts and expressions, folded as the output policy folds them.",
    blind_to=f"{_BLIND} Paraphrases and translations pass.",
    schema=document(_WHAT),
    score=not_contains,
    binary=True,
    check=_check_not,
)
