"""Canned inputs for a prompt: the examples its author kept with the version, else the least its schema accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from evals.instances import minimal_instance
from registry.models import PromptVersion
from registry.rendering.json_values import JsonValue
from registry.rendering.schemas import validate


@dataclass(frozen=True, slots=True)
class CannedInput:
    """A name for reports, and variables."""

    name: str
    variables: Mapping[str, JsonValue]


def canned_inputs(*, project_id: UUID, prompt: Mapping[str, Any]) -> list[CannedInput]:
    """The inputs of a prompt's document that fit its input schema; empty when none can be had.

    An example of the author's that does not fit says nothing about the prompt, so it is left out.
    """
    schema = prompt.get("input_schema") or {"type": "object", "properties": {}}
    kept = (
        PromptVersion.objects.filter(project_id=project_id, digest=prompt["digest"])
        .values_list("example_inputs", flat=True)
        .first()
    )
    examples = [CannedInput(str(item["name"]), item["variables"]) for item in kept or []]
    fitting = [example for example in examples if not validate(schema, dict(example.variables))]
    if fitting:
        return fitting
    made = minimal_instance(schema)
    if not isinstance(made, dict) or validate(schema, made):
        return []
    return [CannedInput("Made from the input schema", made)]
