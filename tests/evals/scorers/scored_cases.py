"""Cases and answers for tests of scorers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.scorers import Answer, Score, scorer_by_name


@dataclass(frozen=True)
class PlainCase:
    """A case that is nothing but its members."""

    expected: Any = None
    context: Sequence[str] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()


def scored(
    name: str,
    text: str,
    *,
    expected: Any = None,
    context: Sequence[str] = (),
    variables: Mapping[str, Any] | None = None,
    latency_ms: int | None = None,
    **params: Any,
) -> Score:
    """What the scorer `name` says of an answer, with these parameters."""
    scorer = scorer_by_name(name)
    case = PlainCase(expected=expected, context=context, variables=variables or {})
    return scorer.score(case, Answer(text, latency_ms=latency_ms), scorer.read_params(params))
