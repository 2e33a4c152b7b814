"""Every prompt of the release, checked again with the rules of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from evals.checks import Check, Outcome, perform
from evals.gates.base import GateSubject
from evals.prompts import label, prompt_spec
from evals.states import Verdict
from registry.checks import as_dicts
from registry.rendering.errors import SpecError
from registry.rendering.lint import LintConfig, lint, publish_blockers
from registry.rendering.params import ResponseFormat
from registry.rendering.schemas import check_schema
from registry.selectors.lint_policies import lint_config

MAX_SHOWN = 50


def checks(subject: GateSubject) -> Iterator[Check]:
    """Lint, schemas and output contract of each prompt, in the order of their names."""
    config = lint_config(subject.project_id)
    for name, prompt in sorted(subject.release["prompts"].items()):
        this = label(prompt)
        yield perform(f"prompt.lint:{name}", f"{this} has no lint errors", partial(_lint, prompt, config))
        yield perform(f"prompt.schemas:{name}", f"The schemas of {this} are valid", partial(_schemas, prompt))
        yield perform(
            f"prompt.contract:{name}", f"{this} says what its answer looks like", partial(_contract, prompt)
        )


def _lint(prompt: Mapping[str, Any], config: LintConfig) -> Outcome:
    try:
        findings = lint(prompt_spec(prompt), config)
    except SpecError as error:
        return Outcome(Verdict.FAIL, f"The prompt cannot be read: {error.field}: {error.message}")
    errors = publish_blockers(findings)
    evidence = {"findings": as_dicts([*errors, *(one for one in findings if one not in errors)][:MAX_SHOWN])}
    if errors:
        return Outcome(
            Verdict.FAIL, f"{_count(len(errors), 'error')}; the first: {errors[0].message}", evidence
        )
    if findings:
        return Outcome(Verdict.PASS, f"No errors, {_count(len(findings), 'remark')}.", evidence)
    return Outcome(Verdict.PASS, "No findings.", evidence)


def _schemas(prompt: Mapping[str, Any]) -> Outcome:
    problems = [
        f"{name}{f'.{problem.path}' if problem.path else ''}: {problem.message}"
        for name in ("input_schema", "output_schema")
        if prompt.get(name) is not None
        for problem in check_schema(prompt[name])
    ]
    if problems:
        return Outcome(Verdict.FAIL, problems[0], {"problems": problems[:MAX_SHOWN]})
    return Outcome(Verdict.PASS, "Both can be used to check values.")


def _contract(prompt: Mapping[str, Any]) -> Outcome:
    if prompt.get("output_schema") is not None:
        return Outcome(Verdict.PASS, "There is an output schema.")
    if (prompt.get("params") or {}).get("response_format") == ResponseFormat.TEXT:
        return Outcome(Verdict.PASS, "Free text is asked for on purpose.")
    return Outcome(
        Verdict.FAIL,
        "There is no output schema, so nobody can measure whether answers are right. Add one, or set the response "
        "format to “text” to say that free text is meant.",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
