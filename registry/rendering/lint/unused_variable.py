"""The input schema declares a variable that no template reads."""

from __future__ import annotations

from collections.abc import Iterator

from registry.rendering.findings import Finding, Severity
from registry.rendering.json_values import format_path
from registry.rendering.lint.rule import LintContext, Rule

ID = "unused-variable"


def check(context: LintContext) -> Iterator[Finding]:
    """Silent while a template does not parse: its variables are not known then."""
    if not context.parsed_completely:
        return
    used = {use.name for _index, use in context.uses()}
    for name in context.declared:
        if name not in used:
            yield Finding(
                ID,
                Severity.WARNING,
                f"The variable “{name[:80]}” is declared but never used.",
                "Use it in a message, or remove it from the input schema.",
                field=format_path(("input_schema", "properties", name)),
            )


RULE = Rule(
    id=ID,
    severity=Severity.WARNING,
    title="A declared variable is never used",
    explanation="Callers prepare and send a value that changes nothing; often a slot was lost in an edit.",
    example='"tone" in the schema, and no {{ tone }} in any message',
    fix="Use the variable, or remove it from the schema.",
    check=check,
)
