"""Both APIs describe themselves completely."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate

from promptstore import api
from serving import openapi
from serving.routes import FIXED, PROMPT, RENDER, RESOLVE, resolved_feature

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def management() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """`GET /path` and the operation."""
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def routes(patterns: list[Any], prefix: str = "/api/v1/") -> Iterator[tuple[str, Any]]:
    """Path with `{}` for parameters, and the view class."""
    for pattern in patterns:
        path = prefix + re.sub(r"<[^>]+>", "{}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))


def test_every_route_of_the_management_api_is_described(management: dict[str, Any]) -> None:
    described = {re.sub(r"\{[^}]+\}", "{}", name) for name, _ in operations(management)}
    there = {
        f"{method.upper()} {path}"
        for path, view in routes(api.urlpatterns)
        for method in METHODS
        if view is not None and hasattr(view, method) and method in view.http_method_names
    }
    assert there
    assert there - described == set()


def test_every_operation_says_what_it_does_and_what_it_answers(management: dict[str, Any]) -> None:
    silent = [
        name
        for name, operation in operations(management)
        if not operation.get("description")
        or not any(code.startswith("2") for code in operation["responses"])
    ]
    assert not silent


def test_operation_ids_are_unique(management: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(management)]
    assert len(ids) == len(set(ids))


def test_every_route_of_the_serving_api_is_described() -> None:
    described = {
        re.sub(r"\{[^}]+\}", "{}", path): METHODS & item.keys()
        for path, item in openapi.document()["paths"].items()
    }
    named = {"/v1/features/{}/resolve": RESOLVE, "/v1/features/{}/render": RENDER, "/v1/prompts/{}": PROMPT}
    for path, route in {**FIXED, **named}.items():
        # The application answers the busiest call itself, ahead of the routes.
        direct = {"get"} if resolved_feature("GET", path) is not None else set()
        assert described[path] == {method.lower() for method in route.methods} | direct, path


def test_the_serving_apis_description_is_valid() -> None:
    validate(openapi.document())


def test_the_management_apis_description_is_valid(management: dict[str, Any]) -> None:
    validate(management)
