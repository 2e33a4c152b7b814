"""Exact match, JSON values, schemas, phrases, latency, groundedness, refusal."""

from __future__ import annotations

from typing import Any

import pytest

from evals.scorers import scorer_by_name
from evals.scorers.groundedness import numbers
from evals.scorers.json_answers import look_up, parse_place, same_json
from promptstore.core.errors import InvalidInput
from tests.evals.scorers.scored_cases import scored


def refusal_of(name: str, **params: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        scorer_by_name(name).read_params(params)
    return refused.value


@pytest.mark.parametrize(
    ("text", "normalise", "value"),
    [
        ("  “Yes.” \n", "text", 1.0),
        ("Yes, of course", "text", 0.0),
        ("yes", "none", 0.0),
        ("Yes", "none", 1.0),
        ("a Yes!", "squad", 1.0),
    ],
)
def test_exact_match_folds_what_it_is_told_to(text: str, normalise: str, value: float) -> None:
    assert scored("exact_match", text, expected=["No", "Yes"], normalise=normalise).value == value


@pytest.mark.parametrize(
    ("text", "expected", "value"),
    [
        ('{"b": [1.0, true], "a": null}', {"a": None, "b": [1, True]}, 1.0),
        ('{"a": 1}', {"a": True}, 0.0),
        ('{"a": 1, "b": 2}', {"a": 1}, 0.0),
        ("[1, 2]", [2, 1], 0.0),
        ('"yes"', "yes", 1.0),
        ("yes", "yes", 0.0),
        ('```json\n{"a": 1}\n```', {"a": 1}, 0.0),
    ],
)
def test_json_is_compared_by_value(text: str, expected: Any, value: float) -> None:
    assert scored("exact_match", text, expected=expected, compare="json").value == value


def test_a_code_fence_is_taken_off_only_where_that_was_asked_for() -> None:
    fenced = '```json\n{"a": 1}\n```'
    assert scored("exact_match", fenced, expected={"a": 1}, compare="json", allow_fence=True).value == 1.0
    assert scored("schema_valid", fenced, schema={"type": "object"}).passed is False
    assert scored("schema_valid", fenced, schema={"type": "object"}, allow_fence=True).passed is True


def test_a_place_is_compared_with_the_same_place_of_the_expected_answer_or_with_the_whole() -> None:
    text = '{"result": {"items": [{"name": "x"}]}}'
    path = "result.items[0].name"
    assert scored("exact_match", text, expected="x", path=path).passed is True
    assert (
        scored("exact_match", text, expected={"result": {"items": [{"name": "x"}]}}, path=path).passed is True
    )
    assert scored("exact_match", text, expected={"other": 1}, path=path).value is None
    assert scored("exact_match", text, expected="x", path="result.items[1].name").passed is False


@pytest.mark.parametrize(
    ("text", "steps"),
    [("a", ("a",)), ("a.b[2].c", ("a", "b", 2, "c")), ("[0]", (0,)), ('a["x.y"]', ("a", "x.y"))],
)
def test_places_are_read(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_place(text, field="path") == steps


@pytest.mark.parametrize("text", [".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "", "a]b"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_place(text, field="params.path")
    assert refused.value.field == "params.path"


def test_a_place_that_is_not_there_is_not_there() -> None:
    assert look_up({"a": [1]}, ("a", 0)) == (True, 1)
    assert look_up({"a": None}, ("a",)) == (True, None)
    for place in (("b",), ("a", 1), ("a", "x"), ("a", 0, "y")):
        assert look_up({"a": [1]}, place) == (False, None)


def test_numbers_are_equal_by_value_and_never_to_booleans() -> None:
    assert same_json(1, 1.0)
    assert not same_json(1, True)
    assert not same_json("1", 1)


def test_a_schema_is_checked_with_its_first_problem_as_the_reason() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert scored("schema_valid", '{"n": 1}', schema=schema).passed is True
    wrong = scored("schema_valid", '{"n": "x"}', schema=schema)
    assert wrong.passed is False
    assert wrong.reason.startswith("n: ")
    assert scored("schema_valid", "NaN", schema=schema).reason == "The answer is not JSON."
    assert scored("schema_valid", "[" * 5_000, schema=schema).passed is False
    assert refusal_of("schema_valid", schema={"type": "strange"}).field == "params.schema.type"
    assert scored("schema_valid", "{}").passed is None, "a prompt without a schema asks for none"


def test_a_reference_out_of_the_schema_is_never_followed() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    assert refusal_of("schema_valid", schema=schema).field == 'params.schema["$ref"]'


@pytest.mark.parametrize(
    ("params", "passed"),
    [
        ({"one_of": ["low", 2]}, True),
        ({"one_of": ["low"]}, False),
        ({"min": 2}, True),
        ({"min": 1, "max": 1.5}, False),
        ({"min": 3}, False),
    ],
)
def test_a_json_field_is_one_of_the_allowed_or_in_range(params: dict[str, Any], passed: bool) -> None:
    assert scored("json_field", '{"level": 2}', path="level", **params).passed is passed


def test_a_json_field_says_what_is_wrong() -> None:
    assert scored("json_field", '{"level": "2"}', path="level", min=1).reason == "level is not a number."
    assert scored("json_field", '{"level": true}', path="level", min=0).passed is False
    assert scored("json_field", "{}", path="level", min=1).reason == "The answer has no level."
    assert refusal_of("json_field", path="level").field == "params.one_of"
    assert refusal_of("json_field", path="level", one_of=[1], min=1).field == "params.one_of"
    assert refusal_of("json_field", path="level", min=2, max=1).field == "params.min"
    assert refusal_of("json_field", path="level[", min=2).field == "params.path"


def test_phrases_are_found_however_they_are_written() -> None:
    hidden = "We g\u200buarant\u0301ee\nＲＥＳＵＬＴＳ."
    assert scored("contains", hidden, texts=["guarantee results"]).passed is True
    found = scored("not_contains", hidden, texts=["guarantee results"], expressions=["results?"])
    assert found.passed is False
    assert found.evidence["found"] == ["guarantee results", "results?"]
    assert scored("contains", "one two", texts=["one", "three"]).passed is True
    missing = scored("contains", "one two", texts=["one", "three"], mode="all")
    assert (missing.passed, missing.reason) == (False, "It lacks “three”.")


def test_without_texts_an_expected_answer_must_be_there() -> None:
    assert scored("contains", "It is Paris.", expected=["Paris", "paname"]).passed is True
    assert scored("contains", "It is Lyon.", expected="Paris").passed is False
    assert scored("contains", "It is Lyon.").value is None


def test_expressions_are_of_the_safe_subset_and_texts_must_say_something() -> None:
    assert refusal_of("contains", expressions=["ok", "(a+)+"]).field == "params.expressions[1]"
    assert refusal_of("not_contains").field == "params.texts"
    assert refusal_of("not_contains", texts=["\u200b"]).field == "params.texts[0]"


def test_latency_is_less_the_better_and_passes_up_to_its_limit() -> None:
    assert scored("latency", "x", latency_ms=250).value == 250.0
    assert scored("latency", "x", latency_ms=250, max_ms=250).passed is True
    assert scored("latency", "x", latency_ms=251, max_ms=250).passed is False
    assert scored("latency", "x").value is None


def test_groundedness_names_what_the_context_does_not_say() -> None:
    context = ["The plan costs 1,200 euros a year and includes phone support."]
    score = scored(
        "groundedness", "The plan costs 1200.00 euros and includes a free bicycle.", context=context
    )
    assert score.value == pytest.approx(5 / 7)
    assert score.evidence["unsupported_words"] == ["bicycle", "free"]
    wrong = scored("groundedness", "It costs 1,300 euros.", context=context, all_numbers=True)
    assert wrong.passed is False
    assert wrong.evidence["unsupported_numbers"] == ["1300"]


def test_groundedness_cannot_see_a_negation() -> None:
    context = ["The medicine is safe for children."]
    assert scored("groundedness", "The medicine is not safe for children.", context=context).value == 1.0


def test_groundedness_reads_variables_only_when_told_and_says_nothing_without_context() -> None:
    assert scored("groundedness", "Berlin", variables={"city": "Berlin"}).value is None
    assert scored("groundedness", "Berlin", variables={"city": "Berlin"}, use_variables=True).value == 1.0
    assert scored("groundedness", "", context=["Berlin"]).value is None


def test_groundedness_of_chinese_is_by_pairs_of_characters() -> None:
    context = ["北京今天天气很好"]
    assert scored("groundedness", "北京天气很好", context=context).value == pytest.approx(4 / 5)
    assert scored("groundedness", "上海下雨", context=context).value == 0.0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,000 and 1000", {"1000"}),
        ("2.50 or 2.5", {"2.5"}),
        ("3,5", {"3.5"}),
        ("12,345,678.90", {"12345678.9"}),
        ("007", {"7"}),
        ("10", {"10"}),
        ("0 and 0.0", {"0"}),
        ("٣٤", {"34"}),
        ("192.168.0.1", {"192.168.0.1"}),
    ],
)
def test_numbers_are_written_alike(text: str, found: set[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I cannot assist with this request.", True),
        ("Paris is the capital of France.", False),
        ("Paris. " * 60 + "I cannot say more.", False),
    ],
)
def test_a_refusal_is_known_by_its_beginning(text: str, refused: bool) -> None:
    assert scored("refusal", text).passed is not refused
    assert scored("refusal", text, want="refusal").passed is refused


def test_an_empty_answer_is_neither_refusal_nor_answer() -> None:
    assert scored("refusal", " ").value is None
