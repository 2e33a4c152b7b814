"""A prompt of a release document as the rendering package takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.rendering.spec import KEYS, PromptSpec


def prompt_body(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a prompt's document that its digest covers."""
    return {key: document[key] for key in KEYS if key in document}


def prompt_spec(document: Mapping[str, Any]) -> PromptSpec:
    """The prompt as a value; raises `SpecError` when the document is not one."""
    return PromptSpec.from_dict(prompt_body(document))


def label(document: Mapping[str, Any]) -> str:
    """`name@version` of any artifact's document."""
    return f"{document['name']}@{document['version']}"
