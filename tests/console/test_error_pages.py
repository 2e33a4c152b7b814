from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.test import RequestFactory

from promptstore.console import error_pages
from promptstore.core.errors import NotAllowed


@pytest.fixture
def request_of_nobody() -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


@pytest.mark.parametrize(
    ("page", "status"),
    [
        (error_pages.bad_request, 400),
        (error_pages.permission_denied, 403),
        (error_pages.csrf_failure, 403),
        (error_pages.page_not_found, 404),
        (error_pages.server_error, 500),
    ],
)
def test_an_error_page_says_what_to_do(
    page: Callable[[HttpRequest], HttpResponse], status: int, request_of_nobody: HttpRequest
) -> None:
    response = page(request_of_nobody)
    assert response.status_code == status
    html = response.content.decode()
    assert html.count("<h1") == 1
    assert 'class="btn btn-primary"' in html


def test_a_refusal_is_told_in_its_own_words(request_of_nobody: HttpRequest) -> None:
    response = error_pages.permission_denied(request_of_nobody, NotAllowed("Ask an owner <b>first</b>."))
    assert "Ask an owner &lt;b&gt;first&lt;/b&gt;." in response.content.decode()


def test_the_last_page_needs_no_template(
    request_of_nobody: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise TemplateDoesNotExist(name)

    monkeypatch.setattr(error_pages, "render_to_string", missing)
    response = error_pages.server_error(request_of_nobody)
    assert response.status_code == 500
    assert "Something broke" in response.content.decode()
