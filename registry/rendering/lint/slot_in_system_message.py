"""A caller's text is written into a message that the model obeys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from registry.rendering.findings import Finding, Severity
from registry.rendering.lint.rule import LintContext, Rule
from registry.rendering.schemas import resolve
from registry.rendering.spec import Role
from registry.rendering.subset import ITEM
from registry.rendering.variables import Use, VariableUse

ID = "slot-in-system-message"

_HARMLESS_TYPES: Final = frozenset({"boolean", "integer", "null", "number"})


def check(context: LintContext) -> Iterator[Finding]:
    """Each slot in a system or developer message whose value could carry instructions."""
    for index, use in context.uses():
        role = context.spec.messages[index].role
        if role not in {Role.SYSTEM, Role.DEVELOPER} or use.use is not Use.OUTPUT:
            continue
        if not _vouched_for(context.spec.input_schema, use):
            message = (
                f"“{use.dotted[:120]}” is written into the {role} message; its text could give instructions."
            )
            hint = 'Move it to a user message, or set "x-trusted": true in its schema if your code writes it.'
            yield context.at_use(Finding(ID, Severity.WARNING, message, hint), index, use)


def _vouched_for(root: Mapping[str, Any], use: VariableUse) -> bool:
    """Whether the schema trusts the value or anything around it, or leaves no room for text of the caller's
    choice."""
    schema = resolve(root, root)
    for part in use.path:
        properties = schema.get("properties")
        inner = (
            schema.get("items")
            if part == ITEM
            else properties.get(part)
            if isinstance(properties, Mapping)
            else None
        )
        schema = resolve(root, inner)
        if schema.get("x-trusted") is True:
            return True
    kinds = schema.get("type")
    names = {kinds} if isinstance(kinds, str) else set(kinds) if isinstance(kinds, list) else set()
    return bool(names and names <= _HARMLESS_TYPES) or "enum" in schema or "const" in schema


RULE = Rule(
    id=ID,
    severity=Severity.WARNING,
    title="A slot in the system message",
    explanation=(
        "Models give system and developer messages more weight than the rest, so text from a caller there is "
        "the easiest way to inject instructions. Numbers, true/false and fixed choices are fine."
    ),
    example="system: You help {{ company }}. {{ customer_notes }}",
    fix='Move the slot to a user message, or mark the variable "x-trusted": true.',
    check=check,
)
