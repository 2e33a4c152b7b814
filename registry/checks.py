"""Everything that is said about a draft before it is published: the linter, and the example inputs against the schema. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint import LintConfig, lint, publish_blockers
from registry.rendering.schemas import check_schema, validate
from registry.rendering.spec import PromptSpec

EXAMPLE_RULE = "example-input"


def check_draft(spec: PromptSpec, examples: Sequence[Mapping[str, Any]], config: LintConfig) -> list[Finding]:
    """Findings in reading order; those about example inputs come last and never block."""
    findings = lint(spec, config)
    if not check_schema(dict(spec.input_schema)):
        findings.extend(_example_findings(spec, examples))
    return findings


def _example_findings(spec: PromptSpec, examples: Sequence[Mapping[str, Any]]) -> Iterable[Finding]:
    for index, example in enumerate(examples):
        for problem in validate(spec.input_schema, example["variables"]):
            where = f"example_inputs[{index}].variables"
            yield Finding(
                EXAMPLE_RULE,
                Severity.WARNING,
                f"{example['name']}: {problem.message}",
                "Change the example or the input schema.",
                field=f"{where}.{problem.path}" if problem.path else where,
            )


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that forbid publishing."""
    return publish_blockers(findings)


def as_dicts(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON: `rule`, `severity`, `message`, `hint`, `message_index`, `line`, `column`, `end_column`, `field`."""
    return [
        {"rule": item["rule_id"], **{key: value for key, value in item.items() if key != "rule_id"}}
        for item in (asdict(finding) | {"severity": finding.severity.value} for finding in findings)
    ]
