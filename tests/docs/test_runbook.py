"""At three in the morning nobody wants to find out that a command is called otherwise."""

from __future__ import annotations

import re

import pytest

from tests.docs import found_in_prose
from tests.docs.markdown import page

PAGES = ("runbook.md",)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_told_exists_with_its_options(name: str) -> None:
    told = found_in_prose.commands(page(name))
    assert told
    assert not [problem for line in told for problem in found_in_prose.problems_of(line)]


@pytest.mark.parametrize("name", PAGES)
def test_every_metric_setting_event_page_and_code_that_is_named_exists(name: str) -> None:
    unknown = [span for span in found_in_prose.spans(page(name)) if not found_in_prose.exists(span)]
    assert not unknown


@pytest.mark.parametrize("name", PAGES)
def test_every_symptom_leads_to_its_section(name: str) -> None:
    text = page(name)
    headings = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^## (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@pytest.mark.parametrize(
    "nothing",
    [
        "promptstore_nothing_total",
        "PROMPTSTORE_NOTHING",
        "promptctl nothing",
        "/nothing/",
        "nothing.happened_here",
    ],
)
def test_what_does_not_exist_is_noticed(nothing: str) -> None:
    assert not found_in_prose.exists(nothing)


@pytest.mark.parametrize("name", PAGES)
def test_every_place_in_the_console_is_called_so(name: str) -> None:
    steps = [
        step.strip()
        for path in re.findall(r"\*\*([^*]+ → [^*]+)\*\*", page(name))
        for step in path.split("→")
    ]
    assert steps
    lost = [step for step in steps if not step.startswith("the ") and step not in found_in_prose.source()]
    assert not lost
