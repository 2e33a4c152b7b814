from __future__ import annotations

import pytest
from django.test import RequestFactory

from promptstore.console.preferences import COOKIE, set_theme, theme_of


def test_a_theme_is_remembered_and_the_person_goes_back() -> None:
    response = set_theme(RequestFactory().post("/", {"theme": "dark", "next": "/prompts/?q=a"}))
    assert response.status_code == 302
    assert response["Location"] == "/prompts/?q=a"
    assert response.cookies[COOKIE].value == "dark"


def test_the_systems_theme_forgets_the_choice() -> None:
    response = set_theme(RequestFactory().post("/", {"theme": "system"}))
    assert response.cookies[COOKIE]["max-age"] == 0


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "javascript:alert(1)", ""])
def test_nobody_is_sent_to_another_site(elsewhere: str) -> None:
    response = set_theme(RequestFactory().post("/", {"theme": "dark", "next": elsewhere}))
    assert response["Location"] == "/"


def test_only_a_post_changes_the_theme() -> None:
    assert set_theme(RequestFactory().get("/")).status_code == 405


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("neon", "system"), ("", "system")]
)
def test_an_unknown_theme_is_the_systems(cookie: str, theme: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = cookie
    assert theme_of(request) == theme
