"""docs/console-conventions.md is what page authors rely on: it names every tag, filter, status kind and token of layout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from promptstore.console.navigation import ENTRIES, Entry
from promptstore.console.statuses import LOOKS
from promptstore.console.templatetags.ui import register

DOC = (Path(settings.BASE_DIR) / "docs/console-conventions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", sorted(register.tags))
def test_a_tag_is_documented(tag: str) -> None:
    assert re.search(rf"{{% {tag}\b", DOC)


@pytest.mark.parametrize("name", sorted(register.filters))
def test_a_filter_is_documented(name: str) -> None:
    assert re.search(rf"\\?\|{name}\b", DOC)


@pytest.mark.parametrize("kind", sorted(LOOKS))
def test_a_kind_of_status_is_documented(kind: str) -> None:
    assert f"`{kind}`" in DOC


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.url_name)
def test_a_place_of_the_rail_is_documented(entry: Entry) -> None:
    assert f"`{entry.url_name}`" in DOC


def test_the_blocks_of_the_base_template_are_documented() -> None:
    base = (Path(settings.BASE_DIR) / "templates/base.html").read_text(encoding="utf-8")
    for block in re.findall(r"{% block (\w+) %}", base):
        assert f"`{block}`" in DOC or f"block {block} %" in DOC, block
