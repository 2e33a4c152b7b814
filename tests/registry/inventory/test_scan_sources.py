from __future__ import annotations

import re

import pytest

from registry.inventory import CallSite, Gateways, scan_source
from registry.inventory.governing import DEFAULT_HOSTS
from tests.registry.inventory.sample_tree import PYTHON, SCRIPTS

GATEWAYS = Gateways(hosts=DEFAULT_HOSTS | {"prompts.example.com"})
_MARK = re.compile(r"\b(UNGOVERNED|GOVERNED|IGNORED)\b")


def kind(site: CallSite) -> str:
    if site.governed:
        return "GOVERNED"
    return "IGNORED" if site.ignored else "UNGOVERNED"


@pytest.mark.parametrize("path", [*PYTHON, *SCRIPTS])
def test_exactly_the_marked_lines_ask_a_model(path: str) -> None:
    source = (PYTHON | SCRIPTS)[path]
    marked = [
        (number, match[1])
        for number, line in enumerate(source.split("\n"), start=1)
        if (match := _MARK.search(line))
    ]
    found = [(site.line, kind(site)) for site in scan_source(source.encode(), path, GATEWAYS)]
    assert found == marked
