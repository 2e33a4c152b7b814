"""Rules whose findings the analysis of the templates makes: syntax, subset, complexity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.parsing import SYNTAX, TOO_COMPLEX
from registry.rendering.subset import NOT_IN_SUBSET


def _with_id(rule_id: str) -> Callable[[LintContext], Iterator[Finding]]:
    def check(context: LintContext) -> Iterator[Finding]:
        for analysis in context.analyses:
            yield from (finding for finding in analysis.findings if finding.rule_id == rule_id)

    return check


TEMPLATE_SYNTAX = Rule(
    id=SYNTAX,
    severity=Severity.ERROR,
    title="The template does not parse",
    explanation="A tag is not closed, a block has no end, or an expression is not valid Jinja.",
    example="Dear {{ name",
    fix="Close the tag: Dear {{ name }}",
    check=_with_id(SYNTAX),
)

NOT_IN_SUBSET_RULE = Rule(
    id=NOT_IN_SUBSET,
    severity=Severity.ERROR,
    title="The template uses something that prompts cannot use",
    explanation=(
        "Published prompts render in the serving process, so they keep to a part of Jinja whose cost is "
        "known in advance: variables, comparisons, if, for over a variable, and a list of filters. No calls, "
        "assignments, arithmetic, macros or includes."
    ),
    example="{{ price * 1.19 }}",
    fix="Compute the value before the call and pass it: {{ gross_price }}",
    check=_with_id(NOT_IN_SUBSET),
)

TEMPLATE_TOO_COMPLEX = Rule(
    id=TOO_COMPLEX,
    severity=Severity.ERROR,
    title="The template is too large or nested too deeply",
    explanation="Size and nesting are limited, so that checking and rendering stay fast for everybody.",
    example="{{ ((((((((((((x)))))))))))) }}",
    fix="Split the expression, or pass its result as a variable.",
    check=_with_id(TOO_COMPLEX),
)
