"""Documentation pages as data."""

from __future__ import annotations

import re

from tests.architecture.sources import ROOT

_NAME = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    """A page below `docs/`."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """The code-quoted names in the first cell of every table row, in order."""
    return [
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in _NAME.findall(line.split(" | ")[0])
    ]


def rows(text: str) -> dict[str, list[str]]:
    """Name → cells, of every table row with one name in its first cell."""
    return {
        match[1]: [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
        if (match := re.match(r"\| `([^`]+)` \|", line))
    }


def sections(text: str, prefix: str) -> dict[str, str]:
    """Title → text of the sections whose heading is `### <prefix>…` in code quotes."""
    parts = re.split(r"^#{2,3} (.+)$", text, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {
        title.strip("`").removeprefix(prefix): body
        for title, body in found.items()
        if title.startswith(f"`{prefix}")
    }
