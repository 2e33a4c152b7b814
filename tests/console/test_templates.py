"""What the content security policy forbids never gets into a template, and every icon exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from promptstore.console.icons import icon_names

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
SCRIPTS = sorted((Path(settings.BASE_DIR) / "static/js").glob("*.js"))

FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*="),
    "a style element": re.compile(r"<style\b"),
    "an event attribute": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "hx-on": re.compile(r"\bhx-on\b"),
    "a javascript: address": re.compile(r"javascript:"),
    "a filter in hx-trigger (needs eval)": re.compile(r'hx-trigger="[^"]*\['),
    "unescaped output": re.compile(r"\|\s*safe\b|autoescape off"),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_keeps_the_content_security_policy(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert not found


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_compiles(template: Path) -> None:
    get_template(name_of(template))


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_template_uses_icons_that_exist(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    used = re.findall(r"""{%\s*icon\s+["']([\w-]+)["']""", text) + re.findall(
        r"""\sicon=["']([\w-]+)["']""", text
    )
    assert set(used) <= icon_names()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_neither_evaluates_text_nor_imports_by_name(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(
        r"\beval\(|new Function\(|innerHTML\s*=|document\.write|^\s*import\s", text, re.MULTILINE
    )
