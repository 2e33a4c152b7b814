"""The shape of tool definitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from registry.rendering.errors import SpecError

TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
FUNCTION_KEYS: Final = frozenset({"name", "description", "parameters", "strict"})


def check_tools(tools: Sequence[object]) -> None:
    """Accept function tools of the chat protocol with distinct names; raise `SpecError` naming the place."""
    names: set[str] = set()
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if not isinstance(tool, dict) or set(tool) != {"type", "function"} or tool["type"] != "function":
            raise SpecError(where, 'Use {"type": "function", "function": {"name": …}}.')
        function = tool["function"]
        if not isinstance(function, dict):
            raise SpecError(f"{where}.function", "Use an object with name, description and parameters.")
        unknown = sorted(set(function) - FUNCTION_KEYS)
        if unknown:
            known = ", ".join(sorted(FUNCTION_KEYS))
            raise SpecError(f"{where}.function.{unknown[0][:80]}", f"Unknown key. Known are: {known}.")
        name = function.get("name")
        if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
            raise SpecError(f"{where}.function.name", "Use 1 to 64 letters, digits, underscores or hyphens.")
        if name in names:
            raise SpecError(f"{where}.function.name", f"Another tool is already called {name}.")
        names.add(name)
        if not isinstance(function.get("description", ""), str):
            raise SpecError(f"{where}.function.description", "Use text.")
        if not isinstance(function.get("parameters", {}), dict):
            raise SpecError(f"{where}.function.parameters", "Use a JSON Schema object.")
        if not isinstance(function.get("strict", False), bool):
            raise SpecError(f"{where}.function.strict", "Use true or false.")
