"""The colours keep WCAG 2.2 AA in both themes: 4.5 to 1 for text, 3 to 1 for the edges of controls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text(encoding="utf-8")
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--ps-([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)
}

GROUNDS = ("page", "surface", "raised", "sunken", "hover", "neutral-soft")
TEXT_ON = [("text-color", ground) for ground in GROUNDS] + [
    ("text-muted", ground) for ground in ("page", "surface", "raised", "sunken", "hover")
]
TEXT_ON += [
    (tone, ground)
    for tone in ("accent", "good", "wait", "harm")
    for ground in ("page", "surface", "raised", f"{tone}-soft")
]
TEXT_ON += [("text-color", f"{tone}-soft") for tone in ("accent", "good", "wait", "harm")]
TEXT_ON += [
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-harm", "harm-fill"),
    ("surface", "text-color"),
]
EDGES = [
    ("line-strong", "surface"),
    ("line-strong", "page"),
    ("focus", "surface"),
    ("focus", "page"),
    ("harm", "surface"),
]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_is_readable(text: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[text][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_the_edges_of_controls_are_visible(edge: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[edge][theme], PAIRS[ground][theme]) >= 3


def test_every_token_that_is_used_exists() -> None:
    declared = set(re.findall(r"(--ps-[\w-]+):", CSS))
    for sheet in ("app.css", "components.css"):
        text = (Path(settings.BASE_DIR) / "static/css" / sheet).read_text(encoding="utf-8")
        local = set(re.findall(r"(--ps-[\w-]+):", text))
        assert set(re.findall(r"var\((--ps-[\w-]+)", text)) <= declared | local, sheet
