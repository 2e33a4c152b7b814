"""A schema of the prompt cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.schemas import check_schema, resolve

ID = "invalid-schema"
HINT = "Schemas follow JSON Schema 2020-12."


def check(context: LintContext) -> Iterator[Finding]:
    """Input, output and tool schemas, by field."""
    spec = context.spec
    schemas: list[tuple[str, object]] = [("input_schema", spec.input_schema)]
    if spec.output_schema is not None:
        schemas.append(("output_schema", spec.output_schema))
    for index, tool in enumerate(spec.tools):
        if "parameters" in tool["function"]:
            schemas.append((f"tools[{index}].function.parameters", tool["function"]["parameters"]))
    for field, schema in schemas:
        for problem in check_schema(schema):
            separator = "." if problem.path and not problem.path.startswith("[") else ""
            yield Finding(
                ID, Severity.ERROR, problem.message, HINT, field=f"{field}{separator}{problem.path}"
            )
    if resolve(spec.input_schema, spec.input_schema).get("type") != "object":
        message = 'The input schema declares variables by name, so its type is "object".'
        yield Finding(ID, Severity.ERROR, message, 'Add "type": "object".', field="input_schema.type")


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="A schema is not valid",
    explanation=(
        "Schemas are checked when variables come in and when answers go out. A schema that is not valid, refers "
        "to another document or has a broken pattern would fail there."
    ),
    example='{"type": "strnig"}',
    fix="Correct the schema at the place the finding names.",
    check=check,
)
