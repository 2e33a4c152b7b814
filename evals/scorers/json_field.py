"""One value inside an answer that is JSON."""

from __future__ import annotations

from typing import Any, Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.json_answers import NotJsonError, look_up, parse_place, read_json, same_json, shown
from evals.scorers.shapes import PLACE, flag
from promptstore.core.errors import InvalidInput
from registry.shapes import document

_NUMBER: Final = {"type": "number", "description": "a number"}


def score(_case: Case, answer: Answer, params: Params) -> Score:
    path = params["path"]
    try:
        whole = read_json(answer.text, allow_fence=params["allow_fence"])
    except NotJsonError as error:
        return Score.verdict(False, str(error))
    there, value = look_up(whole, parse_place(path, field="params.path"))
    if not there:
        return Score.verdict(False, f"The answer has no {path}.")
    problem = _problem(value, params)
    return Score.verdict(not problem, problem or f"{path} is as it should be.", {"found": shown(value)})


def _problem(value: Any, params: Params) -> str:
    path, allowed = params["path"], params["one_of"]
    if allowed is not None:
        return (
            "" if any(same_json(value, one) for one in allowed) else f"{path} is none of the allowed values."
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{path} is not a number."
    if params["min"] is not None and value < params["min"]:
        return f"{path} is below {params['min']:g}."
    if params["max"] is not None and value > params["max"]:
        return f"{path} is above {params['max']:g}."
    return ""


def _check(params: Params, field: str) -> None:
    parse_place(params["path"], field=f"{field}.path")
    low, high = params["min"], params["max"]
    ranged = low is not None or high is not None
    if ranged == (params["one_of"] is not None):
        raise InvalidInput("Give either one_of, or min, max or both.", field=f"{field}.one_of")
    if low is not None and high is not None and low > high:
        raise InvalidInput("The least is above the most.", field=f"{field}.min")


JSON_FIELD: Final = Scorer(
    "json_field",
    "A value in the JSON",
    measures="Whether the value at a place of the answer's JSON is one of those allowed, or a number within bounds.",
    blind_to=(
        "Everything else in the answer. The same values are right for every case; exact_match with a path compares with the"
        " case's own."
    ),
    schema=document(
        {
            "path": PLACE,
            "one_of": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "description": "a list of at most 100 JSON values",
            },
            "min": _NUMBER,
            "max": _NUMBER,
            "allow_fence": flag(),
        },
        required=("path",),
    ),
    score=score,
    binary=True,
    check=_check,
)
