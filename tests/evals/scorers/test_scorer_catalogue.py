"""What holds for every scorer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.scorers import SCORERS, Answer, Scorer, scorer_by_name
from promptstore.core.digests import canonical_json
from promptstore.core.errors import InvalidInput
from tests.docs.markdown import first_cells, page
from tests.evals.scorers.scored_cases import PlainCase, scored

# The least that scorers need which cannot do without parameters.
NEEDED: dict[str, dict[str, Any]] = {
    "schema_valid": {"schema": {"type": "object"}},
    "json_field": {"path": "a[0].b", "min": 1},
    "not_contains": {"texts": ["secret"]},
}
COMPARING = ("exact_match", "token_f1", "bleu", "rouge_l")
TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(["the", "cat", "sat", "4", "猫", "नमस्ते", "{", "}"]), max_size=12
).map(" ".join)


def by_id(scorer: Scorer) -> str:
    return scorer.name


def test_names_are_unique_and_each_says_what_it_sees_and_what_not() -> None:
    assert len({scorer.name for scorer in SCORERS}) == len(SCORERS)
    assert all(scorer.title and scorer.measures and scorer.blind_to for scorer in SCORERS)
    assert all(scorer_by_name(scorer.name) is scorer for scorer in SCORERS)


def test_the_page_lists_the_scorers_and_no_others() -> None:
    table = page("suites.md").split("\n## Scorers\n")[1].split("\n## ")[0]
    assert first_cells(table) == [scorer.name for scorer in SCORERS]


def test_an_unknown_scorer_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="exact_match") as refused:
        scorer_by_name("vibes", field="stages[0].scorers[1].scorer")
    assert (refused.value.code, refused.value.field) == ("unknown_scorer", "stages[0].scorers[1].scorer")


@pytest.mark.parametrize("scorer", SCORERS, ids=by_id)
def test_defaults_are_parameters_that_the_scorer_itself_accepts(scorer: Scorer) -> None:
    read = scorer.read_params(NEEDED.get(scorer.name, {}))
    assert set(read) == set(scorer.schema["properties"])
    given_again = {name: value for name, value in read.items() if value is not None}
    assert scorer.read_params(given_again) == read


@pytest.mark.parametrize("scorer", SCORERS, ids=by_id)
@pytest.mark.parametrize("wrong", [{"pass_form": 0.5}, [], None, "x"])
def test_what_is_no_parameter_is_refused(scorer: Scorer, wrong: Any) -> None:
    given_params = {**NEEDED.get(scorer.name, {}), **wrong} if isinstance(wrong, dict) else wrong
    with pytest.raises(InvalidInput) as refused:
        scorer.read_params(given_params, field="scorers[2].params")
    assert (refused.value.field or "").startswith("scorers[2].params")


@pytest.mark.parametrize("scorer", SCORERS, ids=by_id)
@given(
    text=TEXTS,
    expected=st.none() | TEXTS | st.lists(TEXTS, max_size=3) | st.integers() | st.booleans(),
    context=st.lists(TEXTS, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_every_score_lies_in_its_range_and_has_a_canonical_form(
    scorer: Scorer, text: str, expected: Any, context: list[str]
) -> None:
    case = PlainCase(expected=expected, context=context)
    score = scorer.score(case, Answer(text, latency_ms=12), scorer.read_params(NEEDED.get(scorer.name, {})))
    assert score.reason
    canonical_json({"value": score.value, "evidence": dict(score.evidence)})
    if score.value is not None:
        assert score.value >= scorer.low
        assert scorer.high is None or score.value <= scorer.high
    if scorer.binary and score.value is not None:
        assert score.value == float(score.passed is True)


@pytest.mark.parametrize("name", COMPARING)
@given(text=TEXTS.filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_an_answer_that_is_the_expected_one_scores_best(name: str, text: str) -> None:
    score = scored(name, text, expected=text)
    # Text without any token, such as "…", is nothing to BLEU.
    assert score.value == 1.0 or (name == "bleu" and score.evidence["answer_tokens"] < 1)


@pytest.mark.parametrize("name", ["token_f1", "rouge_l"])
@given(one=TEXTS, other=TEXTS)
@settings(max_examples=60, deadline=None)
def test_f1_is_the_same_from_both_sides(name: str, one: str, other: str) -> None:
    assert scored(name, one, expected=other).value == scored(name, other, expected=one).value


@pytest.mark.parametrize("name", COMPARING)
def test_without_an_expected_answer_nothing_is_said(name: str) -> None:
    score = scored(name, "An answer.")
    assert (score.value, score.passed) == (None, None)


@pytest.mark.parametrize("name", ["token_f1", "bleu", "rouge_l", "groundedness"])
def test_a_share_passes_from_its_limit_on_and_not_without_one(name: str) -> None:
    text = "the quick brown fox jumps"
    assert scored(name, text, expected=text, context=[text]).passed is None
    assert scored(name, text, expected=text, context=[text], pass_from=1).passed is True
    assert scored(name, "nothing alike here", expected=text, context=[text], pass_from=0.5).passed is False
    scorer = scorer_by_name(name)
    assert scorer.decides(scorer.read_params({"pass_from": 0.5}))
    assert not scorer.decides(scorer.read_params({}))


def test_scorers_and_suites_load_without_any_framework() -> None:
    code = (
        "import sys, evals.scorers, evals.suites, stats.bootstrap;"
        "heavy = {'django', 'rest_framework', 'celery', 'sacrebleu', 'nltk', 'scipy'};"
        "sys.exit(', '.join(heavy & {name.split('.')[0] for name in sys.modules}) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
