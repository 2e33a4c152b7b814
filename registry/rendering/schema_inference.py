"""A first input schema from what the templates read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registry.rendering.analysis import TemplateAnalysis
from registry.rendering.subset import ITEM
from registry.rendering.variables import Use


def infer_schema(analysis: TemplateAnalysis | Iterable[TemplateAnalysis]) -> dict[str, Any]:
    """A start for the author to refine: objects and lists where the templates look inside, text everywhere
    else.

    A variable that is only ever read where a missing value is fine is optional; unknown names are refused.
    """
    analyses = [analysis] if isinstance(analysis, TemplateAnalysis) else list(analysis)
    uses = [use for one in analyses for use in one.variables]
    root: dict[str, Any] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    for use in uses:
        path = (*use.path, ITEM) if use.use is Use.LOOP else use.path
        _add(root, path)
    for name in root["properties"]:
        if any(not use.guarded for use in uses if use.name == name):
            root["required"].append(name)
    return root


def _add(schema: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path:
        if part == ITEM:
            if "items" not in schema:
                schema.clear()
                schema.update({"type": "array", "items": {"type": "string"}})
            schema = schema["items"]
        else:
            if schema.get("type") == "string":
                schema.clear()
                schema.update({"type": "object", "properties": {}})
            schema = schema.setdefault("properties", {}).setdefault(part, {"type": "string"})
