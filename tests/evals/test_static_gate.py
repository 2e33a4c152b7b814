from __future__ import annotations

from typing import Any

import pytest

from evals.services import check_params, run_gate
from promptstore.core.clock import ManualClock
from promptstore.core.digests import digest_json
from promptstore.core.errors import InvalidInput
from promptstore.core.ids import uuid7
from tests.cast import Cast
from tests.evals.gate_subjects import CONFIG, EXAMPLES, PROMPT, altered, row, rows, subject_of


def test_a_sound_release_passes_every_check_and_leaves_a_report(cast: Cast, clock: ManualClock) -> None:
    subject = subject_of(cast)
    report = run_gate(name="static", subject=subject)
    assert rows(report) == {
        "pins": "pass",
        "prompt.lint:suggest": "pass",
        "prompt.schemas:suggest": "pass",
        "prompt.contract:suggest": "pass",
        "tokens:suggest": "pass",
        "config.schema": "pass",
        "config.safe_mode": "pass",
        "config.policy": "pass",
    }
    assert report.verdict == report.body["verdict"] == "pass"
    assert report.body["summary"] == {"pass": 8, "fail": 0, "inconclusive": 0, "error": 0}
    assert report.digest == digest_json(report.body)
    assert report.release_digest == subject.release_digest
    assert report.body["started_at"] == clock.now().isoformat()
    assert report.body["subject"]["models"] == {"primary": "smollm2@1.0.0"}
    assert {"promptstore", "python", "jsonschema"} <= set(report.body["versions"])
    report.refresh_from_db()
    assert report.digest == digest_json(report.body)


@pytest.mark.parametrize(
    ("prompt", "failing"),
    [
        ({"messages": [{"role": "user", "content": "{{ question }} {{ nobody }}"}]}, "prompt.lint:suggest"),
        ({"messages": [{"role": "user", "content": "{{ question * 9 }}"}]}, "prompt.lint:suggest"),
        ({"output_schema": {"type": "nonsense"}}, "prompt.schemas:suggest"),
        ({"output_schema": None, "params": {}}, "prompt.contract:suggest"),
        ({"messages": [{"role": "user", "content": "word " * 3000 + "{{ question }}"}]}, "tokens:suggest"),
    ],
)
def test_a_prompt_that_breaks_a_rule_fails_its_check(
    cast: Cast, prompt: dict[str, Any], failing: str
) -> None:
    report = run_gate(name="static", subject=subject_of(cast, prompt=prompt))
    assert report.verdict == "fail"
    assert rows(report)[failing] == "fail"
    assert row(report, failing)["detail"]


def test_free_text_on_purpose_is_a_contract(cast: Cast) -> None:
    subject = subject_of(cast, prompt={"output_schema": None, "params": {"response_format": "text"}})
    assert rows(run_gate(name="static", subject=subject))["prompt.contract:suggest"] == "pass"


def test_lint_findings_point_at_line_and_column(cast: Cast) -> None:
    subject = subject_of(
        cast, prompt={"messages": [{"role": "user", "content": "{{ question }}\n  {{ nobody }}"}]}
    )
    finding = row(run_gate(name="static", subject=subject), "prompt.lint:suggest")["evidence"]["findings"][0]
    assert (finding["rule"], finding["line"], finding["column"]) == ("undeclared-variable", 2, 6)


@pytest.mark.parametrize(
    ("config", "failing"),
    [
        ({"unknown": 1}, "config.schema"),
        ({"safe_mode": {"kind": "template", "template": "Hello {{ question }}"}}, "config.safe_mode"),
        ({"safe_mode": {"kind": "template", "template": "{{ question | default('') }}"}}, "config.safe_mode"),
        ({"policy": {"mode": "buffer", "banned": [{"id": "x", "pattern": "/a+/"}]}}, "config.policy"),
    ],
)
def test_a_config_that_cannot_be_served_fails(cast: Cast, config: dict[str, Any], failing: str) -> None:
    report = run_gate(name="static", subject=subject_of(cast, config=config))
    assert rows(report)[failing] == "fail"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("prompts", "suggest", "messages"), [{"role": "user", "content": "other {{ question }}"}]),
        (("config", "body", "on_withdraw"), "safe_mode"),
        (("models", "primary", "model_id"), "another-model"),
        (("models", "primary", "version"), "9.9.9"),
        (("digest",), "sha256:" + "0" * 64),
    ],
)
def test_content_that_is_not_what_its_digest_says_fails(
    cast: Cast, path: tuple[str, ...], value: Any
) -> None:
    report = run_gate(name="static", subject=altered(subject_of(cast), *path, value=value))
    assert rows(report)["pins"] == "fail"
    assert report.verdict == "fail"


def test_a_context_of_unknown_size_is_neither_pass_nor_fail(cast: Cast) -> None:
    report = run_gate(name="static", subject=subject_of(cast, context_tokens=None))
    assert (rows(report)["tokens:suggest"], report.verdict) == ("inconclusive", "inconclusive")


def test_the_longest_example_counts_against_the_context(cast: Cast) -> None:
    long = {"name": "Long", "variables": {"question": "word " * 300}}
    report = run_gate(name="static", subject=subject_of(cast, examples=[*EXAMPLES, long], context_tokens=400))
    evidence = row(report, "tokens:suggest")["evidence"]
    assert rows(report)["tokens:suggest"] == "fail"
    assert evidence["input_tokens"] > 300
    assert evidence["output_tokens"] == PROMPT["params"]["max_tokens"]


def test_a_check_that_crashes_is_an_error_and_the_others_still_run(cast: Cast) -> None:
    subject = altered(subject_of(cast), "config", "body", value={**CONFIG, "policy": {"banned": 7}})
    verdicts = rows(run_gate(name="static", subject=subject))
    assert verdicts["config.policy"] == "fail"
    subject = altered(subject, "models", "primary", "context_tokens", value="many")
    verdicts = rows(run_gate(name="static", subject=subject))
    assert verdicts["tokens:suggest"] == "error"
    assert verdicts["prompt.lint:suggest"] == "pass"


def test_unknown_gates_and_parameters_are_refused() -> None:
    project = uuid7()
    for name, params, field in (
        ("magic", {}, "gate"),
        ("static", {"depth": 3}, "params.depth"),
        ("smoke", {"min_valid_share": 2}, "params.min_valid_share"),
        ("smoke", {"attempts": 1.5}, "params.attempts"),
        ("smoke", {"attempts": True}, "params.attempts"),
    ):
        with pytest.raises(InvalidInput) as refused:
            check_params(project_id=project, name=name, params=params)
        assert refused.value.field == field
    read = check_params(project_id=project, name="smoke", params={"min_valid_share": 0.8})
    assert read["min_valid_share"] == 0.8
