"""Checks of a prompt before anybody reviews or publishes it.

A rule is one module with one `Rule` value; adding one is copying a neighbour and naming it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from registry.rendering import limits
from registry.rendering.findings import Finding, Severity
from registry.rendering.lint import (
    banned_topics,
    invalid_schema,
    invisible_characters,
    missing_output_contract,
    secrets,
    slot_in_system_message,
    template_findings,
    token_budget,
    undeclared_variable,
    unused_variable,
)
from registry.rendering.lint.rule import LintConfig, LintContext, Rule
from registry.rendering.spec import PromptSpec

__all__ = ["RULES", "LintConfig", "Rule", "lint", "publish_blockers"]

RULES: Final[tuple[Rule, ...]] = (
    template_findings.TEMPLATE_SYNTAX,
    template_findings.NOT_IN_SUBSET_RULE,
    template_findings.TEMPLATE_TOO_COMPLEX,
    undeclared_variable.RULE,
    unused_variable.RULE,
    token_budget.RULE,
    secrets.RULE,
    banned_topics.RULE,
    missing_output_contract.RULE,
    slot_in_system_message.RULE,
    invisible_characters.RULE,
    invalid_schema.RULE,
)


def lint(spec: PromptSpec, config: LintConfig | None = None) -> list[Finding]:
    """All findings, ordered by message and position; those about the prompt as a whole come last.

    At most `limits.MAX_FINDINGS` of each rule. Never raises for any prompt that `PromptSpec.from_dict`
    accepts.
    """
    context = LintContext(spec, config or LintConfig())
    findings: list[Finding] = []
    for rule in RULES:
        for count, finding in enumerate(rule.check(context)):
            if count >= limits.MAX_FINDINGS:
                break
            findings.append(replace(finding, rule_id=rule.id))
    return sorted(findings, key=lambda finding: finding.position)


def publish_blockers(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that forbid publishing: the errors."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
