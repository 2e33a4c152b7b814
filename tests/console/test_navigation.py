from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import include, path

from promptstore.console import navigation
from promptstore.core.permissions import Role


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("", include(([path("", page, name="home"), path("audit/", page, name="audit")], "console"))),
    path("prompts/", include(([path("", page, name="prompt_list")], "registry"))),
]


@pytest.fixture(autouse=True)
def no_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted, and for whom, is tested where the database is."""
    monkeypatch.setattr(navigation, "_COUNTERS", {})


def rail(at: str, *roles: Role) -> list[navigation.NavItem]:
    with override_settings(ROOT_URLCONF=__name__):
        return navigation.items_for(RequestFactory().get(at), frozenset(roles))


def test_only_pages_that_exist_are_shown() -> None:
    assert [item.label for item in rail("/", Role.OWNER)] == ["Home", "Prompts", "Audit"]


def test_a_page_that_the_person_may_not_open_is_left_out() -> None:
    assert [item.label for item in rail("/", Role.WRITER)] == ["Home", "Prompts"]
    assert rail("/") == []


@pytest.mark.parametrize(
    ("at", "current"),
    [("/", "Home"), ("/prompts/", "Prompts"), ("/prompts/x/edit/", "Prompts"), ("/audit/", "Audit")],
)
def test_the_entry_of_the_page_is_current(at: str, current: str) -> None:
    assert [item.label for item in rail(at, Role.OWNER) if item.is_current] == [current]


def test_home_is_not_current_elsewhere() -> None:
    assert not any(item.is_current for item in rail("/elsewhere/", Role.OWNER))


def test_a_counter_shows_what_waits() -> None:
    navigation.register_counter("registry:prompt_list", lambda request: 3)
    assert [item.count for item in rail("/", Role.OWNER)] == [0, 3, 0]


@pytest.mark.parametrize(
    ("at", "current"),
    [
        ("/models/", "Models"),
        ("/endpoints/main/", "Models"),
        ("/configs/new/", "Models"),
        ("/prompt-rules/", "Prompts"),
        ("/features/summary/", "Features"),
        ("/releases/promotions/", "Releases"),
        ("/settings/keys/", "Settings"),
    ],
)
def test_pages_that_belong_to_an_entry_light_it(at: str, current: str) -> None:
    items = navigation.items_for(RequestFactory().get(at), frozenset({Role.WRITER}))
    assert [item.label for item in items if item.is_current] == [current]


@pytest.mark.parametrize("entry", navigation.ENTRIES, ids=lambda entry: entry.label)
def test_a_prefix_names_a_page_that_exists(entry: navigation.Entry) -> None:
    assert all(navigation.url_or_none(name) for name in entry.prefixes)


@pytest.mark.parametrize("role", Role)
def test_every_member_reaches_their_settings(role: Role) -> None:
    assert "Settings" in [
        item.label for item in navigation.items_for(RequestFactory().get("/"), frozenset({role}))
    ]
