"""What a draft may hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from promptstore.core.errors import InvalidInput
from registry.numbers import check_numbers
from registry.rendering.errors import SpecError
from registry.rendering.spec import PromptSpec
from registry.shapes import check_shape, document, text

MAX_EXAMPLES: Final = 20

EXAMPLES: Final[dict[str, Any]] = {
    "type": "array",
    "maxItems": MAX_EXAMPLES,
    "items": document(
        {
            "name": text("a short name for this example", max_chars=80),
            "variables": {"type": "object", "description": "a JSON object of variables"},
        },
        required=("variables",),
    ),
}
EMPTY_BODY: Final[dict[str, Any]] = {
    "messages": [{"role": "system", "content": ""}, {"role": "user", "content": ""}],
    "input_schema": {"type": "object", "properties": {}, "additionalProperties": False},
}


def read_spec(body: object) -> PromptSpec:
    """A prompt document as a value; raises `InvalidInput` (`invalid_prompt`) naming the field, such as `messages[1].role`."""
    try:
        spec = PromptSpec.from_dict(body)
    except SpecError as error:
        raise InvalidInput(error.message, code=error.code, field=error.field) from error
    check_numbers(body)
    return spec


def read_examples(examples: object) -> list[dict[str, Any]]:
    """Example inputs, `{"name", "variables"}` each, named if they were not; raises `InvalidInput`."""
    check_shape(examples, EXAMPLES, field="example_inputs")
    assert isinstance(examples, Sequence)
    return [
        {"name": item.get("name") or f"Example {index}", "variables": item["variables"]}
        for index, item in enumerate(examples, start=1)
    ]
