"""Every page can be found from the index, and every recipe from theirs."""

from __future__ import annotations

import re
import struct

from tests.architecture.sources import ROOT
from tests.docs.markdown import page
from tests.docs.recipes import NAMES

# Directories with an index of their own.
_OWN_INDEX = {"adr", "recipes", "images"}


def links(text: str) -> set[str]:
    return {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)}


def test_the_index_names_every_page() -> None:
    pages = {
        path.name for path in (ROOT / "docs").iterdir() if path.suffix == ".md" and path.name != "README.md"
    }
    folders = {
        f"{path.name}/README.md"
        for path in (ROOT / "docs").iterdir()
        if path.name in _OWN_INDEX and (path / "README.md").exists()
    }
    missing = (pages | folders) - links(page("README.md"))
    assert not missing, f"say in docs/README.md what these are for: {missing}"


def test_the_index_of_recipes_names_every_recipe() -> None:
    assert {f"{name}.md" for name in NAMES} <= links(page("recipes/README.md"))


def test_every_picture_is_shown_or_kept_as_the_dark_twin_of_one_that_is() -> None:
    shown = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    )
    pictures = [path.name for path in (ROOT / "docs" / "images").glob("*.png")]
    assert not [name for name in pictures if name.replace("-dark", "") not in shown]


def test_every_picture_has_the_size_of_a_window_and_loads_fast() -> None:
    for path in (ROOT / "docs" / "images").glob("*.png"):
        data = path.read_bytes()
        assert struct.unpack(">II", data[16:24]) == (1440, 900), path.name
        assert len(data) < 250_000, path.name
