"""Whether the answer is JSON that fits a schema."""

from __future__ import annotations

from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer
from evals.scorers.json_answers import NotJsonError, read_json
from evals.scorers.shapes import flag
from promptstore.core.errors import InvalidInput
from registry.rendering.schemas import check_schema, validate
from registry.shapes import document

_SHOWN: Final = 5


def score(_case: Case, answer: Answer, params: Params) -> Score:
    if params["schema"] is None:
        return Score.not_applicable("The prompt has no output schema, and none was given.")
    try:
        value = read_json(answer.text, allow_fence=params["allow_fence"])
    except NotJsonError as error:
        return Score.verdict(False, str(error))
    problems = validate(params["schema"], value)
    if not problems:
        return Score.verdict(True, "It fits the schema.")
    listed = [{"path": problem.path, "message": problem.message} for problem in problems[:_SHOWN]]
    first = problems[0]
    reason = f"{first.path}: {first.message}" if first.path else first.message
    return Score.verdict(False, reason, {"problems": listed, "count": len(problems)})


def _check(params: Params, field: str) -> None:
    for problem in check_schema(params["schema"] or {}):
        dot = "." if problem.path and not problem.path.startswith("[") else ""
        raise InvalidInput(problem.message, field=f"{field}.schema{dot}{problem.path}")


SCHEMA_VALID: Final = Scorer(
    "schema_valid",
    "Fits the schema",
    measures="Whether the whole answer is one JSON value that fits a JSON Schema (2020-12): the given one, else the prompt's.",
    blind_to="Whether what stands in the members is right.",
    schema=document(
        {
            "schema": {"type": "object", "description": "a JSON Schema", "default": None},
            "allow_fence": flag(),
        },
    ),
    score=score,
    binary=True,
    check=_check,
)
