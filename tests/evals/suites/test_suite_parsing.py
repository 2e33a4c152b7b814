"""What is a suite, and what is refused, by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from evals.suites import Reducer, StageKind, parse_suite, planned
from promptstore.core.errors import InvalidInput
from tests.evals.suites.suite_cast import keys, stage_of, suite

WHOLE: dict[str, Any] = {
    "name": "support",
    "stages": [
        {"kind": "static"},
        {
            "name": "format",
            "kind": "functional",
            "dataset": "smoke@1.0.0",
            "max_error_share": 0,
            "scorers": [
                {"scorer": "schema_valid", "params": {"schema": {"type": "object"}}, "min": 1},
                {"scorer": "latency", "max": 2_000, "max_drop": 300},
            ],
        },
        {
            "name": "answers",
            "kind": "quality",
            "dataset": "faq@v2.1.0",
            "trials": 3,
            "sample": {"max_cases": 100, "seed": 5},
            "scorers": [
                {"scorer": "token_f1", "weight": 2, "min": 0.7, "max_drop": 0.03},
                {
                    "scorer": "token_f1",
                    "id": "good",
                    "params": {"pass_from": 0.5},
                    "reducer": "all",
                    "least_cases": 50,
                },
            ],
        },
    ],
    "budget": {"max_cases": 500, "max_cost_nanos": 2_000_000_000, "max_seconds": 600},
}


def test_a_whole_suite_is_read_with_its_defaults_and_written_back_the_same() -> None:
    read = parse_suite(WHOLE)
    assert [stage.kind for stage in read.stages] == list(StageKind)
    assert [stage.name for stage in read.stages] == ["static", "format", "answers"]
    answers = read.stages[2]
    assert str(answers.dataset) == "faq@2.1.0"
    assert (answers.trials, answers.max_cases, answers.seed) == (3, 100, 5)
    assert answers.scorers[0].limits.max_drop == 0.03
    assert answers.scorers[1].reducer is Reducer.ALL
    assert parse_suite(read.to_dict()) == read
    assert read.digest == parse_suite(read.to_dict()).digest


def test_another_limit_is_another_digest() -> None:
    assert (
        suite({"scorer": "exact_match", "min": 0.8}).digest
        != suite({"scorer": "exact_match", "min": 0.9}).digest
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    """`WHOLE` with one member set, or taken out where `value` is `...`."""
    raw = copy.deepcopy(WHOLE)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = raw
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("name", "Not A Name", "suite.name"),
        ("extra", 1, "suite.extra"),
        ("stages", [], "suite.stages"),
        ("stages.0.dataset", "faq@1.0.0", "suite.stages[0].dataset"),
        ("stages.1.kind", "perfect", "suite.stages[1].kind"),
        ("stages.1.kind", "static", "suite.stages[1].dataset"),
        ("stages.2.kind", "static", "suite.stages[2].dataset"),
        ("stages.1.kind", "quality", None),
        ("stages.1.dataset", ..., "suite.stages[1].dataset"),
        ("stages.1.dataset", "faq", "suite.stages[1].dataset"),
        ("stages.1.dataset", "faq@latest", "suite.stages[1].dataset"),
        ("stages.1.scorers", [], "suite.stages[1].scorers"),
        ("stages.1.max_error_share", 2, "suite.stages[1].max_error_share"),
        ("stages.1.name", "answers", "suite.stages[2].name"),
        ("stages.2.trials", 0, "suite.stages[2].trials"),
        ("stages.2.sample", {"seed": 1}, "suite.stages[2].sample.max_cases"),
        ("stages.2.scorers.0.scorer", "vibes", "suite.stages[2].scorers[0].scorer"),
        ("stages.2.scorers.0.params", {"x": 1}, "suite.stages[2].scorers[0].params.x"),
        ("stages.2.scorers.0.reducer", "all", "suite.stages[2].scorers[0].reducer"),
        ("stages.2.scorers.0.max", 0.9, "suite.stages[2].scorers[0].max"),
        ("stages.2.scorers.0.min", 1.5, "suite.stages[2].scorers[0].min"),
        ("stages.2.scorers.0.min", True, "suite.stages[2].scorers[0].min"),
        ("stages.2.scorers.1.id", ..., "suite.stages[2].scorers[1].id"),
        ("stages.1.scorers.1.min", 5, "suite.stages[1].scorers[1].min"),
        ("stages.1.scorers.1.weight", 1, "suite.stages[1].scorers[1].weight"),
        ("budget.max_cost_nanos", 5, "suite.budget.max_cost_nanos"),
        ("budget.max_seconds", 1.5, "suite.budget.max_seconds"),
    ],
)
def test_what_cannot_work_is_refused_by_name(path: str, value: Any, field: str | None) -> None:
    raw = changed(path, value)
    if field is None:
        parse_suite(raw)
        return
    with pytest.raises(InvalidInput) as refused:
        parse_suite(raw)
    assert refused.value.field == field
    assert refused.value.detail


@pytest.mark.parametrize("raw", [None, [], "suite", {}, {"name": "x"}])
def test_what_is_no_suite_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_suite(raw)


def test_stages_run_from_cheap_to_dear() -> None:
    raw = copy.deepcopy(WHOLE)
    raw["stages"][1], raw["stages"][2] = raw["stages"][2], raw["stages"][1]
    with pytest.raises(InvalidInput, match="move this one up") as refused:
        parse_suite(raw)
    assert refused.value.field == "suite.stages[2].kind"


def test_a_stage_without_any_limit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="could never pass") as refused:
        suite({"scorer": "token_f1"})
    assert refused.value.field == "suite.stages[0].scorers"


def test_a_reducer_that_counts_passes_turns_latency_around() -> None:
    late = {"scorer": "latency", "params": {"max_ms": 800}, "reducer": "all"}
    assert stage_of({**late, "min": 0.95}).scorers[0].high == 1.0
    with pytest.raises(InvalidInput, match="use min"):
        suite({**late, "max": 0.95})


def test_a_sample_depends_on_keys_and_seed_alone() -> None:
    some = {"scorer": "exact_match", "min": 0.5}
    stage = stage_of(some, sample={"max_cases": 20, "seed": 1})
    everything = keys(100)
    chosen = planned(stage, everything)
    assert len(chosen) == 20
    assert planned(stage, reversed(everything)) == chosen
    assert planned(stage_of(some, sample={"max_cases": 20, "seed": 2}), everything) != chosen
    assert planned(stage_of(some, sample={"max_cases": 10, "seed": 1}), everything) == chosen[:10]
    assert len(set(planned(stage, keys(110))) & set(chosen)) >= 15
    assert sorted(planned(stage_of(some), everything)) == everything
