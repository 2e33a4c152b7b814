"""All text of a prompt outside its messages, with the place of each piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from registry.rendering.json_values import format_path
from registry.rendering.spec import PromptSpec


def field_texts(spec: PromptSpec) -> Iterator[tuple[str, str]]:
    """`(field, text)` for every text and key in schemas, tools and stop sequences."""
    parts: list[tuple[tuple[str | int, ...], Any]] = [
        (("input_schema",), spec.input_schema),
        (("output_schema",), spec.output_schema),
        (("tools",), list(spec.tools)),
        (("params", "stop"), list(spec.params.stop)),
    ]
    while parts:
        path, value = parts.pop(0)
        if isinstance(value, str):
            yield format_path(path), value
        elif isinstance(value, dict):
            for key, item in value.items():
                yield format_path((*path, key)), key
                parts.append(((*path, key), item))
        elif isinstance(value, list):
            parts.extend(((*path, index), item) for index, item in enumerate(value))
