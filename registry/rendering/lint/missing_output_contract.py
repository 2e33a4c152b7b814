"""Nothing says what the answer looks like."""

from __future__ import annotations

from collections.abc import Iterator

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.params import ResponseFormat

ID = "missing-output-contract"


def check(context: LintContext) -> Iterator[Finding]:
    """An error only where the prompt itself asks for a schema that is not there."""
    if context.spec.output_schema is not None:
        return
    if context.spec.params.response_format is ResponseFormat.JSON_SCHEMA:
        message = "The response format is json_schema, but there is no output schema."
        hint = "Add an output schema, or choose another response format."
        yield Finding(ID, Severity.ERROR, message, hint, field="output_schema")
    elif context.spec.params.response_format is not ResponseFormat.TEXT:
        message = "There is no output schema, so answers cannot be checked."
        hint = 'Add an output schema, or set the response format to "text" to say that free text is meant.'
        yield Finding(ID, Severity.WARNING, message, hint, field="output_schema")


RULE = Rule(
    id=ID,
    severity=Severity.WARNING,
    title="No output contract",
    explanation=(
        "Gates and rollouts measure how many answers are valid against the output schema. Without one, a prompt "
        "that starts to ramble looks the same as one that works."
    ),
    example="A prompt that asks for JSON, with no output schema",
    fix='Add an output schema; for free text set the response format to "text".',
    check=check,
)
