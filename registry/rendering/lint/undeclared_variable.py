"""A template reads a variable that the input schema does not declare."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.schemas import resolve
from registry.rendering.subset import ITEM
from registry.rendering.variables import VariableUse

ID = "undeclared-variable"


def check(context: LintContext) -> Iterator[Finding]:
    """An error for an unknown variable; inside a value, as severe as the schema is strict about it."""
    for index, use in context.uses():
        if use.name not in context.declared:
            yield context.at_use(_unknown(use, list(context.declared)), index, use)
            continue
        found = _missing_part(context.spec.input_schema, use)
        if found is not None:
            part, known, closed = found
            severity = Severity.ERROR if closed else Severity.WARNING
            message = f"The schema of {use.name[:80]} does not mention “{part[:80]}” ({use.dotted[:120]})."
            hint = _hint(part, known) or "Add it to the input schema, or correct the name."
            yield context.at_use(Finding(ID, severity, message, hint), index, use)


def _unknown(use: VariableUse, known: list[str]) -> Finding:
    message = f"The variable “{use.name[:80]}” is not declared in the input schema."
    hint = _hint(use.name, known) or f'Add "{use.name[:80]}" to the properties of the input schema.'
    return Finding(ID, Severity.ERROR, message, hint)


def _hint(name: str, known: list[str]) -> str | None:
    close = difflib.get_close_matches(name[:80], known[:200], n=1)
    return f"Did you mean “{close[0]}”?" if close else None


def _missing_part(root: Mapping[str, Any], use: VariableUse) -> tuple[str, list[str], bool] | None:
    """The first part of the path that the schema lists names for but not this one; and whether it forbids
    others."""
    schema = resolve(root, resolve(root, root).get("properties", {}).get(use.name))
    for part in use.path[1:]:
        if part == ITEM:
            schema = resolve(root, schema.get("items"))
            continue
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return None
        if part not in properties:
            if "additionalProperties" in schema and schema["additionalProperties"] is not False:
                return None
            return part, list(properties), schema.get("additionalProperties") is False
        schema = resolve(root, properties[part])
    return None


RULE = Rule(
    id=ID,
    severity=Severity.ERROR,
    title="A variable is not declared",
    explanation=(
        "Callers pass what the input schema declares and nothing else, so a variable that is not declared would "
        "be missing in every call."
    ),
    example='{{ customer_nmae }} with "customer_name" in the schema',
    fix="Correct the name, or declare the variable in the input schema.",
    check=check,
)
