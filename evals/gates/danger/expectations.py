"""What a former failure must show to be none any more. These scorers judge the danger set only, so no suite can name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from evals.scorers import Answer, Case, Score, Scorer
from evals.scorers.base import Params
from evals.scorers.contains import CONTAINS
from evals.scorers.exact_match import EXACT_MATCH
from evals.scorers.schema_valid import SCHEMA_VALID
from evals.subjects import GateSubject
from evals.suites import Reducer, ScorerSpec
from evals.suites.spec import Limits
from registry.policy import Policy
from registry.shapes import document
from registry.shown import everything_shown

_AS_JSON: Final = EXACT_MATCH.read_params({"compare": "json", "allow_fence": True})
_AS_TEXT: Final = CONTAINS.read_params({})


def _answered(_case: Case, answer: Answer, _params: Params) -> Score:
    said = bool(answer.text.strip())
    return Score.verdict(said, "It says something." if said else "The answer is empty.")


def _expected(case: Case, answer: Answer, _params: Params) -> Score:
    """A text, or one of a list of texts, must stand in the answer; any other JSON must be the answer."""
    if case.expected is None:
        return Score.not_applicable("Nobody wrote down which answer would be right.")
    if _is_text(case.expected):
        return CONTAINS.score(case, answer, _AS_TEXT)
    return EXACT_MATCH.score(case, answer, _AS_JSON)


def _is_text(expected: object) -> bool:
    if isinstance(expected, list):
        return bool(expected) and all(isinstance(one, str) for one in expected)
    return isinstance(expected, str)


ANSWERED: Final = Scorer(
    "answered",
    "Answers",
    measures="Whether there is an answer at all.",
    blind_to="What it says.",
    schema=document({}),
    score=_answered,
    binary=True,
)
EXPECTED: Final = Scorer(
    "expected",
    "Is what would have been right",
    measures="Whether an expected text stands in the answer, or the answer is the expected JSON value.",
    blind_to="A right answer in other words.",
    schema=document({}),
    score=_expected,
    binary=True,
)


def expectations(subject: GateSubject, cases: Sequence[Case]) -> tuple[ScorerSpec, ...]:
    """Every case must be answered, fit the prompt's output schema, stay clear of the policy filter and be what was expected.

    What nothing of this release or of these cases asks for is left out. Raises `PolicyError` for a policy that is none.
    """
    found = [_perfect(ANSWERED)]
    if (schema := subject.primary_prompt.get("output_schema")) is not None:
        found.append(_perfect(SCHEMA_VALID, SCHEMA_VALID.read_params({"schema": schema})))
    policy = Policy.parse(subject.config.get("policy") or {})
    if policy.buffers:
        found.append(_perfect(_clear_of(policy)))
    if any(case.expected is not None for case in cases):
        found.append(_perfect(EXPECTED))
    return tuple(found)


def _clear_of(policy: Policy) -> Scorer:
    def score(_case: Case, answer: Answer, _params: Params) -> Score:
        hits = policy.check(everything_shown(answer.text))
        reason = f"The policy filter would withhold it: {', '.join(hits)}." if hits else "It may be shown."
        return Score.verdict(not hits, reason, {"hits": hits})

    return replace(
        ANSWERED,
        name="policy_clear",
        title="May be shown",
        measures="Whether the release's own policy filter has nothing to withhold.",
        blind_to="What the filter does not name.",
        score=score,
    )


def _perfect(scorer: Scorer, params: Params | None = None) -> ScorerSpec:
    return ScorerSpec(
        id=scorer.name,
        scorer=scorer,
        params=params or {},
        reducer=Reducer.MEAN,
        weight=1.0,
        limits=Limits(least=1.0),
    )
