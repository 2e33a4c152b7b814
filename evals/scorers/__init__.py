"""The scorers: each says one thing of one answer. Pure. A new one is a module beside its neighbours and a line in `SCORERS`."""

from __future__ import annotations

from typing import Final

from evals.scorers.base import Answer, Case, Pooled, Score, Scorer, Unit
from evals.scorers.bleu import BLEU
from evals.scorers.contains import CONTAINS, NOT_CONTAINS
from evals.scorers.exact_match import EXACT_MATCH
from evals.scorers.groundedness import GROUNDEDNESS
from evals.scorers.json_field import JSON_FIELD
from evals.scorers.latency import LATENCY
from evals.scorers.refusal import REFUSAL
from evals.scorers.rouge_l import ROUGE_L
from evals.scorers.schema_valid import SCHEMA_VALID
from evals.scorers.token_f1 import TOKEN_F1
from promptstore.core.errors import InvalidInput

__all__ = ["SCORERS", "Answer", "Case", "Pooled", "Score", "Scorer", "Unit", "scorer_by_name"]

SCORERS: Final[tuple[Scorer, ...]] = (
    SCHEMA_VALID,
    JSON_FIELD,
    CONTAINS,
    NOT_CONTAINS,
    LATENCY,
    EXACT_MATCH,
    TOKEN_F1,
    BLEU,
    ROUGE_L,
    GROUNDEDNESS,
    REFUSAL,
)


def scorer_by_name(name: str, *, field: str = "scorer") -> Scorer:
    """The scorer called `name`; raises `InvalidInput("unknown_scorer")`."""
    for scorer in SCORERS:
        if scorer.name == name:
            return scorer
    known = ", ".join(scorer.name for scorer in SCORERS)
    raise InvalidInput(
        f"There is no scorer “{name[:80]}”. Known are: {known}.", code="unknown_scorer", field=field
    )
