"""How long an answer took."""

from __future__ import annotations

from typing import Final

from evals.scorers.base import Answer, Case, Params, Score, Scorer, Unit
from registry.shapes import document


def score(_case: Case, answer: Answer, params: Params) -> Score:
    if answer.latency_ms is None:
        return Score.not_applicable("The time of this answer was not measured.")
    limit = params["max_ms"]
    passed = None if limit is None else answer.latency_ms <= limit
    return Score(float(answer.latency_ms), passed, f"It took {answer.latency_ms:,} ms.")


LATENCY: Final = Scorer(
    "latency",
    "Latency",
    measures="Milliseconds from sending the request to the whole answer, of the try that succeeded.",
    blind_to="Production: a suite asks a few at a time, from one place. Time to the first token is not measured.",
    schema=document(
        {
            "max_ms": {
                "type": "integer",
                "minimum": 1,
                "maximum": 600_000,
                "description": "a whole number of milliseconds from 1 to 600000",
            }
        }
    ),
    score=score,
    unit=Unit.MS,
    high=None,
    higher_is_better=False,
    limits=("max_ms",),
)
